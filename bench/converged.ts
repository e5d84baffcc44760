import type { Preselection } from '../src/shared/config.js';
import { CpuBackend } from '../src/engine/training/backends/cpu/cpu.js';
import type { CpuOptions } from '../src/engine/training/backends/cpu/options.js';
import { Random } from '../src/engine/random.js';
import { initialise } from '../src/engine/training/initialise.js';
import type { StepShape } from './shapes.js';
import { time } from './statistics.js';
import { structured } from './structured.js';

/** So small that what is measured stays what it is. */
const learningRate = 1e-6;

/** More features on a row than it has winners: the last winner is hardly stronger than the first loser, as in a trained SAE. */
const activeFor = (k: number) => 3 * k;

/**
 * A backend as after training: its latents are the features that `activationsFor` sums up. Steps cost what they cost then,
 * and int8 candidates have as hard a task. No latent counts as dead unless the options say so.
 */
export async function converged(
  shape: StepShape,
  preselection: Preselection,
  more: Partial<CpuOptions> = {},
): Promise<CpuBackend> {
  const backend = await CpuBackend.create({
    architecture: 'topk',
    ...shape,
    preselection,
    seed: 0,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    auxCoef: 1 / 32,
    clipNorm: 1,
    deadAfterTokens: 2 ** 31,
    ...more,
  });
  initialise(backend.weights, new Float32Array(shape.width), true, 0);
  alongOutliers(backend.weights.decoder, shape.width);
  backend.weights.encoder.set(backend.weights.decoder);
  backend.constants = { scale: 1, variance: shape.width };
  return backend;
}

/** Makes some dimensions of unit rows [n, d] far larger than others, as a transformer's are, and the rows unit rows again. */
function alongOutliers(rows: Float32Array, d: number): void {
  const random = new Random(0, 'outliers');
  const sizes = Float64Array.from({ length: d }, () => Math.exp(0.3 * random.normal()));
  for (let start = 0; start < rows.length; start += d) {
    let square = 0;
    for (let j = 0; j < d; j++) square += (rows[start + j]! *= sizes[j]!) ** 2;
    for (let j = 0; j < d; j++) rows[start + j]! /= Math.sqrt(square);
  }
}

/** A batch of sums of the backend's latents, [B, d]. */
export function activationsFor(backend: CpuBackend, { width, batch, k }: StepShape): Float32Array {
  return structured(backend.weights.decoder, { width, rows: batch, active: activeFor(k) });
}

/** One step on a batch; milliseconds. Writing the batch is not counted. */
export function step(backend: CpuBackend, x: Float32Array): Promise<number> {
  backend.input.set(x);
  return time(() => backend.step(learningRate, 0, () => Promise.resolve()));
}
