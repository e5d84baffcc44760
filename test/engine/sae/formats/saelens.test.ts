import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { Random } from '../../../../src/engine/random.js';
import { readSafetensors, writeSafetensors } from '../../../../src/engine/sae/formats/safetensors.js';
import { readSaelens, writeSaelens } from '../../../../src/engine/sae/formats/saelens.js';
import { unscale, type SaeWeights } from '../../../../src/engine/sae/weights.js';
import { WorkbenchError } from '../../../../src/shared/errors.js';

const root = mkdtempSync(path.join(tmpdir(), 'iw-saelens-'));
after(() => {
  rmSync(root, { recursive: true });
});
const folder = (name: string) => path.join(root, name);

const width = 5;
const latents = 130;
const metadata = {
  model_name: 'demo-gpt2',
  hook_name: 'blocks.2.hook_resid_post',
  dataset_path: 'sample.jsonl',
  context_size: 128,
  prepend_bos: true,
  exclude_special_tokens: true,
};

function example(architecture: 'topk' | 'standard', seed = 1): SaeWeights {
  const random = new Random(seed, 'saelens');
  const values = (length: number) => Float32Array.from({ length }, () => random.normal());
  return {
    architecture,
    width,
    latents,
    ...(architecture === 'topk' ? { k: 7 } : {}),
    encoder: values(latents * width),
    decoder: values(latents * width),
    encoderBias: values(latents),
    decoderBias: values(width),
  };
}

/** x̂ of one row, straight from the definition, in float64. */
function reconstruct(weights: SaeWeights, x: readonly number[]): number[] {
  const { width: d, latents: n, encoder, decoder, encoderBias, decoderBias } = weights;
  const h = Array.from({ length: n }, (_, i) =>
    x.reduce((sum, value, j) => sum + encoder[i * d + j]! * (value - decoderBias[j]!), encoderBias[i]!),
  );
  const floor = weights.k === undefined ? 0 : [...h].sort((a, b) => b - a)[weights.k - 1]!;
  const z = h.map((value) => (value > 0 && value >= floor ? value : 0));
  return x.map((_, j) => z.reduce((sum, value, i) => sum + value * decoder[i * d + j]!, decoderBias[j]!));
}

function rows(count: number): number[][] {
  const random = new Random(9, 'rows');
  return Array.from({ length: count }, () => Array.from({ length: width }, () => 2 * random.normal()));
}

/** The SAE as SAELens computes it, from the tensors and the configuration in the folder. */
async function saelensReconstruct(dir: string, x: readonly number[]): Promise<number[]> {
  const config = JSON.parse(readFileSync(path.join(dir, 'cfg.json'), 'utf8')) as Record<string, unknown>;
  const { tensors } = await readSafetensors(path.join(dir, 'sae_weights.safetensors'));
  const get = (name: string) => tensors[name]!.data as Float32Array;
  const [we, be, wd, bd] = [get('W_enc'), get('b_enc'), get('W_dec'), get('b_dec')];
  const norms = Array.from({ length: latents }, (_, i) => Math.hypot(...wd.subarray(i * width, (i + 1) * width)));
  const rescale = config.rescale_acts_by_decoder_norm === true ? norms : norms.map(() => 1);
  const input = x.map((value, j) => value - (config.apply_b_dec_to_input === true ? bd[j]! : 0));
  const pre = Array.from(
    { length: latents },
    (_, i) => input.reduce((sum, value, j) => sum + value * we[j * latents + i]!, be[i]!) * rescale[i]!,
  );
  const k = config.k as number | undefined;
  const floor = k === undefined ? 0 : [...pre].sort((a, b) => b - a)[k - 1]!;
  const acts = pre.map((value, i) => (value > 0 && value >= floor ? value / rescale[i]! : 0));
  return x.map((_, j) => acts.reduce((sum, value, i) => sum + value * wd[i * width + j]!, bd[j]!));
}

function assertClose(actual: number[], expected: number[], tolerance = 1e-5): void {
  actual.forEach((value, j) => {
    assert.ok(
      Math.abs(value - expected[j]!) < tolerance * Math.max(1, Math.abs(expected[j]!)),
      `${value} ${expected[j]!}`,
    );
  });
}

async function rewrite(dir: string, change: (config: Record<string, unknown>) => unknown): Promise<void> {
  const file = path.join(dir, 'cfg.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify(change(config) ?? config));
  await Promise.resolve();
}

async function assertUnreadable(dir: string, why: RegExp): Promise<void> {
  await assert.rejects(readSaelens(dir), (error: unknown) => {
    assert.ok(error instanceof WorkbenchError, String(error));
    assert.equal(error.problem.code, 'run_unreadable');
    assert.match(error.problem.message, why);
    return true;
  });
}

describe('SAELens folders', () => {
  for (const architecture of ['topk', 'standard'] as const) {
    it(`return a ${architecture} SAE exactly as it was written`, async () => {
      const weights = example(architecture);
      await writeSaelens(folder(architecture), weights, metadata);
      const read = await readSaelens(folder(architecture));
      assert.deepEqual(read.weights, weights);
      for (const [key, value] of Object.entries(metadata)) assert.deepEqual(read.metadata[key], value, key);
    });

    it(`compute, by SAELens’s own formulas, what the ${architecture} SAE computes`, async () => {
      const weights = example(architecture, 3);
      await writeSaelens(folder('computed'), weights, metadata);
      for (const x of rows(10)) assertClose(await saelensReconstruct(folder('computed'), x), reconstruct(weights, x));
    });
  }

  it('have the tensors and keys that its strict loading wants, and no others', async () => {
    await writeSaelens(folder('topk'), example('topk'), metadata);
    const { tensors } = await readSafetensors(path.join(folder('topk'), 'sae_weights.safetensors'));
    const shapes = Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
    assert.deepEqual(shapes, { W_enc: [width, latents], b_enc: [latents], W_dec: [latents, width], b_dec: [width] });
    const config = JSON.parse(readFileSync(path.join(folder('topk'), 'cfg.json'), 'utf8')) as Record<string, unknown>;
    assert.equal(config.architecture, 'topk');
    assert.equal(config.dtype, 'float32');
    assert.equal(config.k, 7);
    assert.equal(config.rescale_acts_by_decoder_norm, false);
    assert.equal(config.apply_b_dec_to_input, true);
    const { sae_lens_version: version, seqpos_slice: slice } = config.metadata as Record<string, unknown>;
    assert.match(String(version), /^6\./);
    assert.deepEqual(slice, [null]);
    await writeSaelens(folder('plain'), example('standard'), metadata);
    const plain = JSON.parse(readFileSync(path.join(folder('plain'), 'cfg.json'), 'utf8')) as Record<string, unknown>;
    assert.ok(!('k' in plain) && !('rescale_acts_by_decoder_norm' in plain));
  });

  it('are read without pre-bias and with activations rescaled by decoder norms, to the same map', async () => {
    await writeSaelens(folder('foreign'), example('topk', 5), metadata);
    await rewrite(folder('foreign'), (config) => {
      config.apply_b_dec_to_input = false;
      config.rescale_acts_by_decoder_norm = true;
    });
    const { weights } = await readSaelens(folder('foreign'));
    for (const x of rows(10)) assertClose(reconstruct(weights, x), await saelensReconstruct(folder('foreign'), x));
  });

  it('of before 6.0 are read, with topk found in activation_fn_kwargs and flat metadata', async () => {
    const weights = example('topk', 6);
    await writeSaelens(folder('old'), weights, metadata);
    const { k, ...rest } = metadata as Record<string, unknown>;
    assert.equal(k, undefined);
    await rewrite(folder('old'), () => ({
      ...rest,
      d_in: width,
      d_sae: latents,
      dtype: 'torch.float32',
      activation_fn_str: 'topk',
      activation_fn_kwargs: { k: 7 },
      normalize_activations: false,
      sae_lens_training_version: '3.1.0',
    }));
    const read = await readSaelens(folder('old'));
    assert.deepEqual(read.weights, weights);
    assert.equal(read.metadata.hook_name, metadata.hook_name);
    await rewrite(folder('old'), (config) => ({ ...config, activation_fn_str: 'relu', activation_fn_kwargs: {} }));
    assert.equal((await readSaelens(folder('old'))).weights.architecture, 'standard');
  });

  it('in half precision are read', async () => {
    await writeSaelens(folder('half'), example('standard'), metadata);
    const one = (length: number) => new Uint16Array(length).fill(0x3c00);
    await writeSafetensors(path.join(folder('half'), 'sae_weights.safetensors'), {
      W_enc: { dtype: 'F16', shape: [width, latents], data: one(width * latents) },
      b_enc: { dtype: 'F16', shape: [latents], data: one(latents) },
      W_dec: { dtype: 'F16', shape: [latents, width], data: one(width * latents) },
      b_dec: { dtype: 'F16', shape: [width], data: one(width) },
    });
    const { weights } = await readSaelens(folder('half'));
    assert.ok(weights.encoder.every((value) => value === 1));
  });

  it('that cannot be used are refused with the reason', async () => {
    const dir = folder('bad');
    await assertUnreadable(dir, /it has no cfg.json/);
    const attempt = async (change: (config: Record<string, unknown>) => unknown, why: RegExp) => {
      await writeSaelens(dir, example('topk'), metadata);
      await rewrite(dir, change);
      await assertUnreadable(dir, why);
    };
    await attempt((config) => ({ ...config, architecture: 'gated' }), /architecture is gated/);
    await attempt((config) => ({ ...config, d_in: 'five' }), /d_in .* is "five"/);
    await attempt((config) => ({ ...config, d_sae: undefined }), /d_sae .* is missing/);
    await attempt((config) => ({ ...config, k: 0 }), /k .* is 0/);
    await attempt((config) => ({ ...config, d_in: width + 1 }), /W_enc has shape \[5, 130\] instead of \[6, 130\]/);
    await attempt((config) => ({ ...config, normalize_activations: 'layer_norm' }), /normalised by layer_norm/);
    await attempt(() => [], /does not hold a JSON object/);
    await writeSaelens(dir, { ...example('topk'), encoderBias: new Float32Array(latents).fill(NaN) }, metadata);
    await assertUnreadable(dir, /b_enc is not finite/);
    writeFileSync(path.join(dir, 'cfg.json'), '{ "architecture"');
    await assertUnreadable(dir, /does not hold a JSON object/);
    await writeSaelens(dir, example('topk'), metadata);
    await writeSafetensors(path.join(dir, 'sae_weights.safetensors'), {});
    await assertUnreadable(dir, /no tensor W_enc/);
  });

  it('hold model units: unscaling the biases undoes the scale of the training data', () => {
    const scale = 3.5;
    const trained = example('topk', 8);
    const inModelUnits = unscale(trained, scale);
    for (const x of rows(10)) {
      const scaled = x.map((value) => value * scale);
      const expected = reconstruct(trained, scaled).map((value) => value / scale);
      assertClose(reconstruct(inModelUnits, x), expected);
    }
  });
});
