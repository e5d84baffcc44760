import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * GPT-2's forward pass in plain TypeScript and float64, from `model.safetensors` and `config.json` alone: it shares no code and no
 * file with what it checks. Radford et al. 2019; tanh GELU, Hendrycks and Gimpel 2016.
 */
export class Gpt2Reference {
  readonly width: number;
  readonly layers: number;
  readonly #heads: number;
  readonly #epsilon: number;
  readonly #vocabulary: number;
  readonly #tensors = new Map<string, Float64Array>();

  constructor(folder: string) {
    const config = JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')) as Record<string, number>;
    this.width = config.n_embd!;
    this.layers = config.n_layer!;
    this.#heads = config.n_head!;
    this.#epsilon = config.layer_norm_epsilon!;
    this.#vocabulary = config.vocab_size!;
    const bytes = readFileSync(path.join(folder, 'model.safetensors'));
    const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, headerEnd)) as Record<
      string,
      { data_offsets?: [number, number] }
    >;
    for (const [name, { data_offsets: offsets }] of Object.entries(header)) {
      if (!offsets) continue;
      const values = (offsets[1] - offsets[0]) / 4;
      const read = (_: unknown, i: number) => bytes.readFloatLE(headerEnd + offsets[0] + 4 * i);
      this.#tensors.set(name, Float64Array.from({ length: values }, read));
    }
  }

  /**
   * Every hook point of one context, by its TransformerLens name, [tokens, width], and `logits`. With `replace`, the
   * residual stream takes those values at that hook instead of its own.
   */
  run(ids: ArrayLike<number>, replace?: { hook: string; values: Float64Array }): Map<string, Float64Array> {
    const hooks = new Map<string, Float64Array>();
    const tokens = ids.length;
    const keep = (name: string, values: Float64Array): Float64Array => {
      const kept = replace?.hook === name ? replace.values : values;
      hooks.set(name, kept);
      return kept;
    };
    const [words, positions] = [this.#weight('wte.weight'), this.#weight('wpe.weight')];
    let x = Float64Array.from({ length: tokens * this.width }, (_, i) => {
      const [t, c] = [Math.floor(i / this.width), i % this.width];
      return words[ids[t]! * this.width + c]! + positions[i]!;
    });
    x = keep('hook_embed', x) as Float64Array<ArrayBuffer>;
    for (let layer = 0; layer < this.layers; layer++) {
      const block = `blocks.${layer}`;
      const weights = `h.${layer}`;
      const pre = keep(`${block}.hook_resid_pre`, x);
      const attention = keep(
        `${block}.hook_attn_out`,
        this.#attention(this.#norm(pre, `${weights}.ln_1`), weights, tokens),
      );
      const mid = keep(`${block}.hook_resid_mid`, add(pre, attention));
      const hidden = this.#linear(this.#norm(mid, `${weights}.ln_2`), `${weights}.mlp.c_fc`, tokens).map(gelu);
      const post = keep(`${block}.mlp.hook_post`, hidden);
      const mlp = keep(`${block}.hook_mlp_out`, this.#linear(post, `${weights}.mlp.c_proj`, tokens));
      x = keep(`${block}.hook_resid_post`, add(mid, mlp)) as Float64Array<ArrayBuffer>;
    }
    const final = this.#norm(x, 'ln_f');
    const logits = new Float64Array(tokens * this.#vocabulary);
    for (let t = 0; t < tokens; t++) {
      for (let v = 0; v < this.#vocabulary; v++) {
        for (let c = 0; c < this.width; c++) {
          logits[t * this.#vocabulary + v]! += final[t * this.width + c]! * words[v * this.width + c]!;
        }
      }
    }
    hooks.set('logits', logits);
    return hooks;
  }

  /** −log softmax(logits[t])[ids[t + 1]] for every position but the last. */
  crossEntropy(ids: ArrayLike<number>, replace?: { hook: string; values: Float64Array }): number[] {
    const logits = this.run(ids, replace).get('logits')!;
    return Array.from({ length: ids.length - 1 }, (_, t) => {
      const row = logits.subarray(t * this.#vocabulary, (t + 1) * this.#vocabulary);
      const most = row.reduce((a, b) => Math.max(a, b));
      return Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0)) + most - row[ids[t + 1]!]!;
    });
  }

  #weight(name: string): Float64Array {
    const values = this.#tensors.get(`transformer.${name}`) ?? this.#tensors.get(name);
    if (!values) throw new Error(`model.safetensors has no ${name}`);
    return values;
  }

  #norm(x: Float64Array, name: string): Float64Array {
    const [gain, bias, d] = [this.#weight(`${name}.weight`), this.#weight(`${name}.bias`), this.width];
    const y = new Float64Array(x.length);
    for (let from = 0; from < x.length; from += d) {
      const row = x.subarray(from, from + d);
      const mean = row.reduce((sum, value) => sum + value, 0) / d;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / d;
      for (let c = 0; c < d; c++) {
        y[from + c] = ((row[c]! - mean) / Math.sqrt(variance + this.#epsilon)) * gain[c]! + bias[c]!;
      }
    }
    return y;
  }

  /** Hugging Face's Conv1D: weight [in, out]. */
  #linear(x: Float64Array, name: string, tokens: number): Float64Array {
    const [weight, bias] = [this.#weight(`${name}.weight`), this.#weight(`${name}.bias`)];
    const [inputs, outputs] = [x.length / tokens, bias.length];
    const y = new Float64Array(tokens * outputs);
    for (let t = 0; t < tokens; t++) {
      for (let o = 0; o < outputs; o++) {
        let sum = bias[o]!;
        for (let i = 0; i < inputs; i++) sum += x[t * inputs + i]! * weight[i * outputs + o]!;
        y[t * outputs + o] = sum;
      }
    }
    return y;
  }

  #attention(x: Float64Array, block: string, tokens: number): Float64Array {
    const d = this.width;
    const size = d / this.#heads;
    const qkv = this.#linear(x, `${block}.attn.c_attn`, tokens);
    const z = new Float64Array(tokens * d);
    for (let head = 0; head < this.#heads; head++) {
      for (let t = 0; t < tokens; t++) {
        const scores = Array.from({ length: t + 1 }, (_, s) => {
          let dot = 0;
          for (let c = 0; c < size; c++) {
            dot += qkv[t * 3 * d + head * size + c]! * qkv[s * 3 * d + d + head * size + c]!;
          }
          return dot / Math.sqrt(size);
        });
        const most = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - most));
        const total = weights.reduce((a, b) => a + b);
        for (const [s, weight] of weights.entries()) {
          for (let c = 0; c < size; c++) {
            z[t * d + head * size + c]! += (weight / total) * qkv[s * 3 * d + 2 * d + head * size + c]!;
          }
        }
      }
    }
    return this.#linear(z, `${block}.attn.c_proj`, tokens);
  }
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]!);
}

function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}
