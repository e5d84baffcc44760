import { mkdir } from 'node:fs/promises';
import { writeFileAtomic } from '../../../run/atomic.js';
import { saeLensConfigPath, weightsPath } from '../../../run/layout.js';
import type { SaeWeights } from '../weights.js';
import { readConfig, unusable } from './saelens-config.js';
import { floats, readSafetensors, writeSafetensors, type Tensor } from './safetensors.js';

/**
 * SAELens's folder: `cfg.json` and `sae_weights.safetensors`, as its 6.x releases write and strictly load them.
 * https://github.com/jbloomAus/SAELens, sae_lens/saes/sae.py
 */

/** What SAELens records about where an SAE belongs; null is "not known". */
export interface SaelensMetadata {
  model_name: string | null;
  hook_name: string | null;
  dataset_path: string | null;
  context_size: number | null;
  prepend_bos: boolean | null;
  /** False, or the ids left out. */
  exclude_special_tokens: boolean | number[];
  /** Whatever else a run wants to leave there, such as its own version. */
  [key: string]: unknown;
}

/** The SAELens release whose format this is. A folder without a version loses its metadata there. */
const formatVersion = '6.0.0';

/** Rows per piece of a transposition: small enough to stay in cache, large enough to write in few pieces. */
const tile = 64;

/** The transpose of a row-major [rows, columns] matrix, as consecutive groups of its rows. */
function* transposed(matrix: Float32Array, rows: number, columns: number): Generator<Float32Array> {
  for (let start = 0; start < columns; start += tile) {
    const count = Math.min(tile, columns - start);
    const piece = new Float32Array(count * rows);
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < count; c++) piece[c * rows + row] = matrix[row * columns + start + c]!;
    }
    yield piece;
  }
}

/**
 * Writes an SAE, in the units of the model's activations, as a folder that SAELens opens. The weights come first: a
 * folder with a `cfg.json` is complete.
 */
export async function writeSaelens(dir: string, weights: SaeWeights, metadata: SaelensMetadata): Promise<void> {
  const { width: d, latents: n, architecture } = weights;
  await mkdir(dir, { recursive: true });
  await writeSafetensors(
    weightsPath(dir),
    {
      W_enc: { dtype: 'F32', shape: [d, n], data: transposed(weights.encoder, n, d) },
      b_enc: { dtype: 'F32', shape: [n], data: weights.encoderBias },
      W_dec: { dtype: 'F32', shape: [n, d], data: weights.decoder },
      b_dec: { dtype: 'F32', shape: [d], data: weights.decoderBias },
    },
    { format: 'pt' },
  );
  const config = {
    architecture,
    d_in: d,
    d_sae: n,
    ...(architecture === 'topk' ? { k: weights.k, rescale_acts_by_decoder_norm: false } : {}),
    dtype: 'float32',
    device: 'cpu',
    apply_b_dec_to_input: true,
    normalize_activations: 'none',
    reshape_activations: 'none',
    metadata: {
      sae_lens_version: formatVersion,
      sae_lens_training_version: null,
      model_class_name: 'HookedTransformer',
      hook_head_index: null,
      seqpos_slice: [null],
      model_from_pretrained_kwargs: {},
      ...metadata,
    },
  };
  await writeFileAtomic(saeLensConfigPath(dir), `${JSON.stringify(config, null, 2)}\n`);
}

/** topk on pre-activations times ‖d_i‖, undone when decoding: the same map as unit rows with the norms in the encoder. */
function foldDecoderNorms(weights: SaeWeights): void {
  const { width: d, latents: n, encoder, decoder, encoderBias } = weights;
  for (let i = 0; i < n; i++) {
    const norm = Math.sqrt(decoder.subarray(i * d, (i + 1) * d).reduce((sum, value) => sum + value * value, 0));
    if (norm === 0) continue;
    encoderBias[i]! *= norm;
    for (let j = i * d; j < (i + 1) * d; j++) {
      encoder[j]! *= norm;
      decoder[j]! /= norm;
    }
  }
}

/** h = W_e x + b is W_e (x − b_d) + (b + W_e b_d): an SAE without pre-bias as one with it. */
function foldPreBias({ width: d, encoder, encoderBias, decoderBias }: SaeWeights): void {
  encoderBias.forEach((bias, i) => {
    encoderBias[i] = decoderBias.reduce((sum, value, j) => sum + encoder[i * d + j]! * value, bias);
  });
}

/**
 * Reads a SAELens folder, of before 6.0 too; weights come back in the units of the model's activations.
 * @throws WorkbenchError `run_unreadable` where a file is missing or damaged or the SAE is of a kind not supported.
 */
export async function readSaelens(dir: string): Promise<{ weights: SaeWeights; metadata: Record<string, unknown> }> {
  const config = await readConfig(dir);
  const { architecture, width: d, latents: n } = config;
  if (architecture !== 'topk' && architecture !== 'standard') {
    throw unusable(dir, `its architecture is ${architecture}, which is not supported`);
  }
  if (config.normalization !== 'none') {
    throw unusable(dir, `it expects activations normalised by ${config.normalization}, which is not supported`);
  }
  const { tensors } = await readSafetensors(weightsPath(dir));
  const take = (name: string, shape: number[]): Float32Array => {
    const tensor: Tensor | undefined = tensors[name];
    if (!tensor) throw unusable(dir, `it has no tensor ${name}`);
    if (tensor.shape.join() !== shape.join()) {
      throw unusable(dir, `${name} has shape [${tensor.shape.join(', ')}] instead of [${shape.join(', ')}]`);
    }
    const values = floats(tensor);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw unusable(dir, `${name} is not finite at ${bad}`);
    return values;
  };
  const scaling = tensors.scaling_factor;
  if (scaling && floats(scaling).some((factor) => Math.abs(factor - 1) > 1e-5)) {
    throw unusable(dir, 'it has a scaling factor per latent, which is not supported');
  }
  const encoder = new Float32Array(n * d);
  let filled = 0;
  for (const piece of transposed(take('W_enc', [d, n]), d, n)) {
    encoder.set(piece, filled);
    filled += piece.length;
  }
  const weights: SaeWeights = {
    architecture,
    width: d,
    latents: n,
    ...(config.k === undefined ? {} : { k: Math.min(config.k, n) }),
    encoder,
    decoder: take('W_dec', [n, d]),
    encoderBias: take('b_enc', [n]),
    decoderBias: take('b_dec', [d]),
  };
  if (config.rescaled) foldDecoderNorms(weights);
  if (!config.preBias) foldPreBias(weights);
  return { weights, metadata: config.metadata };
}
