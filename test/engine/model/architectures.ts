import { encodeModel, type ModelProto } from '../../../src/engine/model/onnx.js';
import { GraphBuilder } from './graph-builder.js';

/**
 * Small transformers as other exporters write them, with random weights and node names that say nothing: residual sums plain or
 * fused, norms before or (BERT) after them, attention and MLP one after the other or side by side, products of three dimensions or flattened to two.
 */
export type Style = 'gpt2' | 'llama' | 'neox' | 'neox-nested' | 'fused' | 'fused-bias' | 'float16' | 'bert' | 'opt';

export interface Built {
  model: ModelProto;
  bytes: Uint8Array;
  /** Names of the tensors that a correct reading gives these hooks. */
  hooks: Record<string, string>;
}

const width = 8;
const heads = 2;
const vocabulary = 11;
export const layers = 3;
export { width, vocabulary };

/** A model in the given style, three layers deep. */
export function build(style: Style, seed = 0): Built {
  const b = new GraphBuilder(style === 'float16', seed);
  const hooks: Record<string, string> = {};
  const fused = style === 'fused' || style === 'fused-bias';
  const rms = style === 'llama' || style === 'fused';
  const parallel = style === 'neox' || style === 'neox-nested';

  const norm = (x: string): string => {
    if (fused && rms)
      return b.op('SimplifiedLayerNormalization', [x, b.random(width)], { axis: -1, epsilon: { float: 1e-5 } });
    if (!rms) return b.op('LayerNormalization', [x, b.random(width), b.random(width)], { axis: -1 });
    const square = b.op('Pow', [x, b.floats([2], [])]);
    const mean = b.op('ReduceMean', [square], { axes: [-1], keepdims: 1 });
    const root = b.op('Sqrt', [b.op('Add', [mean, b.floats([1e-5], [])])]);
    return b.op('Mul', [b.random(width), b.op('Mul', [x, b.op('Div', [b.floats([1], []), root])])]);
  };
  // GPT-2 as Hugging Face writes it flattens [batch, sequence] around every Gemm.
  const linear = (x: string, inputs: number, outputs: number, bias: boolean): string => {
    if (style === 'gpt2') {
      const shape = b.op(
        'Concat',
        [b.op('Slice', [b.op('Shape', [x]), b.integers([0]), b.integers([2])]), b.integers([outputs])],
        { axis: 0 },
      );
      const flat = b.op('Reshape', [x, b.integers([-1, inputs])]);
      return b.op('Reshape', [b.op('Gemm', [flat, b.random(inputs, outputs), b.random(outputs)]), shape]);
    }
    const product = b.op('MatMul', [x, b.random(inputs, outputs)]);
    return bias ? b.op('Add', [b.random(outputs), product]) : product;
  };
  const biased = style !== 'llama' && !fused;

  const attention = (x: string): string => {
    const split = (t: string) => {
      const shaped = b.op('Reshape', [t, b.integers([0, 0, heads, width / heads])]);
      return b.op('Transpose', [shaped], { perm: [0, 2, 1, 3] });
    };
    let q = split(linear(x, width, width, biased));
    let k = split(linear(x, width, width, biased));
    const v = split(linear(x, width, width, biased));
    if (style === 'llama' || style === 'neox') {
      const rotate = (t: string) => {
        const [a, c] = b.many('Split', [t, b.integers([2, 2])], 2, { axis: 3 }) as [string, string];
        const turned = b.op('Concat', [b.op('Neg', [c]), a], { axis: 3 });
        return b.op('Add', [b.op('Mul', [t, b.floats([0.6], [])]), b.op('Mul', [turned, b.floats([0.8], [])])]);
      };
      [q, k] = [rotate(q), rotate(k)];
    }
    const scores = b.op('MatMul', [q, b.op('Transpose', [k], { perm: [0, 1, 3, 2] })]);
    const weights = b.op('Softmax', [b.op('Add', [scores, mask])], { axis: -1 });
    const mixed = b.op('Transpose', [b.op('MatMul', [weights, v])], { perm: [0, 2, 1, 3] });
    return linear(b.op('Reshape', [mixed, b.integers([0, 0, width])]), width, width, biased);
  };

  const mlp = (x: string, layer: number): string => {
    const up = linear(x, width, 4 * width, biased);
    let hidden: string;
    if (rms) {
      const gate = linear(x, width, 4 * width, false);
      hidden = b.op('Mul', [b.op('Mul', [gate, b.op('Sigmoid', [gate])]), up]);
    } else {
      // tanh GELU: itself an Add of something and what was computed from it.
      const cube = b.op('Mul', [b.op('Mul', [b.op('Mul', [up, up]), up]), b.floats([0.044715], [])]);
      const inner = b.op('Tanh', [b.op('Mul', [b.op('Add', [up, cube]), b.floats([Math.sqrt(2 / Math.PI)], [])])]);
      hidden = b.op('Mul', [b.op('Mul', [up, b.floats([0.5], [])]), b.op('Add', [inner, b.floats([1], [])])]);
    }
    hooks[`blocks.${layer}.mlp.hook_post`] = hidden;
    return linear(hidden, 4 * width, width, biased);
  };

  const ids = b.op('Gather', [b.random(vocabulary, width), 'input_ids'], { axis: 0 });
  // Positions counted from the shape of the embedded tokens: a dependence, but none of data.
  const length = b.op('Gather', [b.op('Shape', [ids]), b.integers([1], [])], { axis: 0 });
  const positions = b.op('Range', [b.integers([0], []), length, b.integers([1], [])]);
  const embedded =
    style === 'llama' || fused
      ? ids
      : b.op('Add', [ids, b.op('Gather', [b.random(32, width), positions], { axis: 0 })]);
  hooks.hook_embed = embedded;

  const later = b.op('Less', [
    b.op('Unsqueeze', [positions, b.integers([1])]),
    b.op('Unsqueeze', [positions, b.integers([0])]),
  ]);
  const causal = b.op('Where', [later, b.floats([-1e4], []), b.floats([0], [])]);
  const shown = b.op('Cast', ['attention_mask'], { to: b.half ? 10 : 1 });
  const hidden = b.op('Mul', [b.op('Sub', [b.floats([1], []), shown]), b.floats([-1e4], [])]);
  // BERT sees what comes later too, so in it padding can only be kept out by the mask.
  const mask = b.op('Add', [
    style === 'bert' ? b.floats([0], []) : causal,
    b.op('Unsqueeze', [hidden, b.integers([1, 2])]),
  ]);

  let x = embedded;
  let normed = fused ? norm(x) : '';
  const skip = (stream: string, branch: string, last: boolean): [string, string] => {
    const [op, weights] =
      style === 'fused'
        ? ['SkipSimplifiedLayerNormalization', [b.random(width)]]
        : ['SkipLayerNormalization', [b.random(width), b.random(width), b.random(width)]];
    const out = b.many(op, [stream, branch, ...weights], 4, { epsilon: { float: 1e-5 } }, 'com.microsoft');
    if (last) {
      // Nothing reads the last sum, so exporters give it no name; ours is made from the norm's.
      b.nodes.at(-1)!.output = [out[0]!];
      return [out[0]!, `${out[0]!}.input_skip_sum`];
    }
    b.nodes.at(-1)!.output = [out[0]!, '', '', out[3]!];
    return [out[0]!, out[3]!];
  };
  for (let layer = 0; layer < layers; layer++) {
    const name = (hook: string, tensor: string) => (hooks[`blocks.${layer}.${hook}`] = tensor);
    const before = hooks[`blocks.${layer - 1}.hook_resid_post`];
    name('hook_resid_pre', style === 'opt' && before !== undefined ? before : x);
    const attended = attention(fused ? normed : style === 'bert' ? x : norm(x));
    if (style !== 'fused-bias') name('hook_attn_out', attended);
    if (parallel) {
      const out = mlp(norm(x), layer);
      name('hook_mlp_out', out);
      x =
        style === 'neox'
          ? b.op('Add', [b.op('Add', [out, attended]), x])
          : b.op('Add', [attended, b.op('Add', [out, x])]);
    } else if (style === 'bert') {
      const mid = b.op('Add', [attended, x]);
      name('hook_resid_mid', mid);
      const middle = norm(mid);
      const out = mlp(middle, layer);
      name('hook_mlp_out', out);
      const post = b.op('Add', [out, middle]);
      name('hook_resid_post', post);
      x = norm(post);
      continue;
    } else if (fused) {
      let mid: string;
      [normed, mid] = skip(x, attended, false);
      name('hook_resid_mid', mid);
      const out = mlp(normed, layer);
      if (style !== 'fused-bias') name('hook_mlp_out', out);
      [normed, x] = skip(mid, out, layer === layers - 1);
    } else {
      let mid = b.op('Add', layer % 2 === 0 ? [x, attended] : [attended, x]);
      name('hook_resid_mid', mid);
      // OPT as Hugging Face writes it keeps the whole second half of a layer flat.
      if (style === 'opt') mid = b.op('Reshape', [mid, b.integers([-1, width])]);
      const out = mlp(norm(mid), layer);
      name('hook_mlp_out', out);
      x = b.op('Add', [out, mid]);
    }
    name('hook_resid_post', x);
    if (style === 'opt') x = b.op('Reshape', [x, b.op('Shape', [attended])]);
  }
  const final = fused ? normed : norm(x);
  const head = b.op('MatMul', [final, b.random(width, vocabulary)]);
  b.nodes.at(-1)!.output = ['logits'];
  for (const node of b.nodes) node.input = (node.input ?? []).map((input) => (input === head ? 'logits' : input));

  const two = ['batch', 'sequence'].map((dimParam) => ({ dimParam }));
  const ints = (name: string) => ({ name, type: { tensorType: { elemType: 7, shape: { dim: two } } } });
  const model: ModelProto = {
    irVersion: 8,
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: {
      name: 'g',
      node: b.nodes,
      initializer: b.weights,
      input: [ints('input_ids'), ints('attention_mask')],
      output: [{ name: 'logits', type: { tensorType: { elemType: b.half ? 10 : 1 } } }],
    },
  };
  return { model, bytes: encodeModel(model), hooks };
}

export const styles: readonly Style[] = [
  'gpt2',
  'llama',
  'neox',
  'neox-nested',
  'fused',
  'fused-bias',
  'float16',
  'bert',
  'opt',
];
