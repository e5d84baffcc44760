import type { Normalisation } from './backend.js';

const mostForScale = 2 ** 17;
const mostForCenter = 2 ** 15;

/**
 * The constants of a run from its first activations x [available, d] in the model's units: the scale s with E‖s·x‖² = d and
 * V = E‖s·x − s·x̄‖² of at most the first 2¹⁷ rows, the geometric median of s·x of at most 2¹⁵. Sums are float64.
 * `between` runs between passes over the rows and may throw.
 */
export async function normalise(
  x: Float32Array,
  available: number,
  d: number,
  between: () => Promise<void>,
): Promise<Normalisation> {
  const rows = Math.min(available, mostForScale);
  const mean = new Float64Array(d);
  let squares = 0;
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < d; j++) {
      const value = x[row * d + j]!;
      mean[j] = mean[j]! + value / rows;
      squares += value * value;
    }
  }
  const scale = squares > 0 ? Math.sqrt((d * rows) / squares) : 1;
  const meanSquare = mean.reduce((sum, value) => sum + value * value, 0);
  const variance = scale * scale * Math.max(squares / rows - meanSquare, 0);
  const tolerance = 1e-5 * (Math.sqrt(d) / scale);
  const median = await geometricMedian(x, Math.min(rows, mostForCenter), d, tolerance, between);
  return { scale, variance, center: Float32Array.from(median, (value) => value * scale) };
}

/**
 * The point with the least sum of distances to the rows of x, [d]. Weiszfeld's iteration from the mean, at most 100 steps,
 * until a step is shorter than `tolerance`; distances are kept away from zero so that a row equal to the estimate counts.
 * Weiszfeld 1937.
 */
export async function geometricMedian(
  x: Float32Array,
  rows: number,
  d: number,
  tolerance: number,
  between: () => Promise<void>,
): Promise<Float64Array> {
  let estimate = new Float64Array(d);
  for (let row = 0; row < rows; row++) for (let j = 0; j < d; j++) estimate[j] = estimate[j]! + x[row * d + j]! / rows;
  const nearest = 1e-9 * tolerance + Number.MIN_VALUE;
  for (let iteration = 0; iteration < 100; iteration++) {
    await between();
    const next = new Float64Array(d);
    let weights = 0;
    for (let row = 0; row < rows; row++) {
      let square = 0;
      for (let j = 0; j < d; j++) {
        const difference = x[row * d + j]! - estimate[j]!;
        square += difference * difference;
      }
      const weight = 1 / Math.max(Math.sqrt(square), nearest);
      weights += weight;
      for (let j = 0; j < d; j++) next[j] = next[j]! + weight * x[row * d + j]!;
    }
    let moved = 0;
    for (let j = 0; j < d; j++) {
      next[j] = next[j]! / weights;
      moved += (next[j]! - estimate[j]!) ** 2;
    }
    estimate = next;
    if (Math.sqrt(moved) < tolerance) break;
  }
  return estimate;
}
