import { Random, randomUnitRows } from '../random.js';
import type { SaeWeights } from '../sae/weights.js';

/**
 * Sets the weights a run starts from, in place: W_d random unit rows, W_e the same rows (`tied`) or others, b_e = 0,
 * b_d = `center` (training units).
 */
export function initialise(weights: SaeWeights, center: Float32Array, tied: boolean, seed: number): void {
  const { width: d } = weights;
  randomUnitRows(weights.decoder, d, new Random(seed, 'decoder'));
  if (tied) weights.encoder.set(weights.decoder);
  else randomUnitRows(weights.encoder, d, new Random(seed, 'encoder'));
  weights.encoderBias.fill(0);
  weights.decoderBias.set(center);
}
