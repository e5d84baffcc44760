import { Random, randomUnitRows } from '../random.js';
import { assign } from './assignment.js';

/** Activations with a known answer: x = Σ f_i a_i over known unit directions a_i. */

export interface SyntheticShape {
  /** Number of true features. */
  features: number;
  /** d */
  width: number;
  /** How often each feature is on, independently of the others. */
  probability: number;
  seed: number;
}

/** Rows whose features are on with a probability p, each then with magnitude |1 + 0.25 N(0, 1)|. */
export class SyntheticActivations {
  readonly width: number;
  /** a, [features, d], unit rows. */
  readonly directions: Float32Array;
  readonly #features: number;
  readonly #probability: number;
  readonly #random: Random;

  constructor({ features, width, probability, seed }: SyntheticShape) {
    this.width = width;
    this.directions = new Float32Array(features * width);
    randomUnitRows(this.directions, width, new Random(seed, 'synthetic directions'));
    this.#features = features;
    this.#probability = probability;
    this.#random = new Random(seed, 'synthetic rows');
  }

  /** The next `rows` rows, [rows, d]. */
  sample(rows: number): Float32Array {
    const { width, directions } = this;
    const x = new Float32Array(rows * width);
    for (let b = 0; b < rows; b++) {
      for (let i = 0; i < this.#features; i++) {
        if (this.#random.float() >= this.#probability) continue;
        const magnitude = Math.abs(1 + 0.25 * this.#random.normal());
        for (let j = 0; j < width; j++) x[b * width + j]! += magnitude * directions[i * width + j]!;
      }
    }
    return x;
  }
}

function norms(matrix: Float32Array, width: number): Float64Array {
  return Float64Array.from({ length: matrix.length / width }, (_, i) =>
    Math.sqrt(matrix.subarray(i * width, (i + 1) * width).reduce((sum, value) => sum + value * value, 0)),
  );
}

/** Cosines of all rows of `a` with all rows of `b`, [rows of a, rows of b]; 0 for zero rows. */
export function cosines(a: Float32Array, b: Float32Array, width: number): Float64Array {
  const [normsA, normsB] = [norms(a, width), norms(b, width)];
  const out = new Float64Array(normsA.length * normsB.length);
  normsA.forEach((normA, i) => {
    normsB.forEach((normB, k) => {
      let dot = 0;
      for (let j = 0; j < width; j++) dot += a[i * width + j]! * b[k * width + j]!;
      out[i * normsB.length + k] = normA * normB > 0 ? dot / (normA * normB) : 0;
    });
  });
  return out;
}

/** Mean over the true directions [features, d] of the best cosine with a decoder row [n, d], signed. Sharkey et al. 2022. */
export function meanMaxCosine(directions: Float32Array, decoder: Float32Array, width: number): number {
  const [features, latents] = [directions.length / width, decoder.length / width];
  const all = cosines(directions, decoder, width);
  let sum = 0;
  for (let i = 0; i < features; i++) sum += Math.max(...all.subarray(i * latents, (i + 1) * latents));
  return sum / features;
}

/** Mean |cos| over the best one-to-one matching of min(features, n) true directions and decoder rows. */
export function meanCorrelation(directions: Float32Array, decoder: Float32Array, width: number): number {
  const [fewer, more] = directions.length <= decoder.length ? [directions, decoder] : [decoder, directions];
  const [rows, columns] = [fewer.length / width, more.length / width];
  const cost = cosines(fewer, more, width).map((cosine) => -Math.abs(cosine));
  const matched = assign(cost, rows, columns);
  return matched.reduce((sum, column, row) => sum - cost[row * columns + column]!, 0) / rows;
}
