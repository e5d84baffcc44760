import { Random } from '../activations/random.js';
import type { SaeWeights } from '../sae/weights.js';

/**
 * Sets the weights a run starts from, in place: W_d random unit rows, W_e the same rows (`tied`) or others, b_e = 0,
 * b_d = `center` (training units).
 */
export function initialise(weights: SaeWeights, center: Float32Array, tied: boolean, seed: number): void {
  const { width: d, latents: n } = weights;
  randomUnitRows(weights.decoder, n, d, new Random(seed, 'decoder'));
  if (tied) weights.encoder.set(weights.decoder);
  else randomUnitRows(weights.encoder, n, d, new Random(seed, 'encoder'));
  weights.encoderBias.fill(0);
  weights.decoderBias.set(center);
}

function randomUnitRows(matrix: Float32Array, n: number, d: number, random: Random): void {
  const row = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    let square = 0;
    for (let j = 0; j < d; j++) {
      row[j] = random.normal();
      square += row[j]! ** 2;
    }
    const norm = Math.sqrt(square);
    for (let j = 0; j < d; j++) matrix[i * d + j] = row[j]! / norm;
  }
}
