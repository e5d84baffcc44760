import type { Inferred, SaeInference } from '../sae/infer.js';
import { Density, type DensityHistogram } from './density.js';

/** What encodes and decodes activations, in their own units. */
export type Inference = Pick<SaeInference, 'maxRows' | 'encode' | 'run'>;

/** Null is what the rows seen do not determine. */
export interface ReconstructionResult {
  tokens: number;
  explained_variance: number | null;
  fvu: number | null;
  l0: number | null;
  cosine: number | null;
  l2_ratio: number | null;
  mse: number | null;
  density: DensityHistogram;
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/**
 * Reconstruction metrics of an SAE over a set of activations, accumulated block by block in float64.
 *
 * - explained variance: 1 − Σ‖x − x̂‖² / Σ‖x − x̄‖², x̄ per dimension over the whole set; fvu = 1 − that
 * - L0: mean number of z > 0 per row
 * - cosine: mean cos(x, x̂), and 0 for a row reconstructed as zero; l2_ratio: mean ‖x̂‖ / ‖x‖. Rows x = 0 have neither.
 * - mse: mean (x − x̂)² over rows and dimensions
 */
export class ReconstructionMetrics {
  readonly #width: number;
  readonly #density: Density;
  #rows = 0;
  #directed = 0;
  #active = 0;
  #squaredError = 0;
  #cosine = 0;
  #ratio = 0;
  /** The first row: sums of differences from it cancel far less than sums of the values. */
  #origin: Float64Array | undefined;
  readonly #sum: Float64Array;
  readonly #squares: Float64Array;

  constructor(width: number, latents: number) {
    this.#width = width;
    this.#density = new Density(latents);
    this.#sum = new Float64Array(width);
    this.#squares = new Float64Array(width);
  }

  /** Adds the first `rows` rows of `x` [rows, d] and what the SAE made of them. */
  add(x: Float32Array, rows: number, codes: Inferred): void {
    this.#origin ??= Float64Array.from(x.subarray(0, this.#width));
    for (let b = 0; b < rows; b++) this.#addRow(x, codes.reconstruction, b * this.#width);
    for (let e = codes.offsets[0]!; e < codes.offsets[rows]!; e++) {
      if (codes.values[e]! > 0) {
        this.#active++;
        this.#density.fire(codes.indices[e]!);
      }
    }
    this.#rows += rows;
  }

  #addRow(x: Float32Array, reconstruction: Float32Array, start: number): void {
    const width = this.#width;
    const origin = this.#origin!;
    let dot = 0;
    let norm = 0;
    let reconstructedNorm = 0;
    let error = 0;
    for (let j = 0; j < width; j++) {
      const value = x[start + j]!;
      const reconstructed = reconstruction[start + j]!;
      const shifted = value - origin[j]!;
      this.#sum[j]! += shifted;
      this.#squares[j]! += shifted * shifted;
      dot += value * reconstructed;
      norm += value * value;
      reconstructedNorm += reconstructed * reconstructed;
      error += (value - reconstructed) * (value - reconstructed);
    }
    this.#squaredError += error;
    if (norm === 0) return;
    this.#directed++;
    this.#ratio += Math.sqrt(reconstructedNorm / norm);
    if (reconstructedNorm > 0) this.#cosine += dot / Math.sqrt(norm * reconstructedNorm);
  }

  /** x̄, [d]: the mean of the rows added. */
  mean(): Float64Array {
    return this.#sum.map((sum, j) => (this.#rows === 0 ? 0 : this.#origin![j]! + sum / this.#rows));
  }

  result(): ReconstructionResult {
    const rows = this.#rows;
    const variance = this.#squares.reduce((total, square, j) => total + square - this.#sum[j]! ** 2 / rows, 0);
    const fvu = this.#squaredError / variance;
    return {
      tokens: rows,
      explained_variance: finite(1 - fvu),
      fvu: finite(fvu),
      l0: finite(this.#active / rows),
      cosine: finite(this.#cosine / this.#directed),
      l2_ratio: finite(this.#ratio / this.#directed),
      mse: finite(this.#squaredError / (rows * this.#width)),
      density: this.#density.histogram(rows),
    };
  }
}
