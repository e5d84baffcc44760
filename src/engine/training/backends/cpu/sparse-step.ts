import type { StepShape } from '../../../../shared/memory.js';
import type { KernelPool } from '../../../kernels/pool.js';
import { evenCuts } from './cuts.js';
import type { Arrays } from './layout.js';

/** What a forward pass leaves besides the arrays. */
export interface ForwardSums {
  /** Σ ‖r‖² over the batch. */
  squaredError: number;
  /** Σ z */
  l1: number;
  /** Active (row, latent) pairs. */
  active: number;
  /** In how many rows a latent was active. */
  firedRows: (latent: number) => number;
}

/** The sparse path from each row's winners to the entries of the gradients, sorted by latent. */
export class SparseStep {
  readonly #pool: KernelPool;
  readonly #arrays: Arrays;
  readonly #shape: StepShape;

  constructor(pool: KernelPool, arrays: Arrays, shape: StepShape) {
    this.#pool = pool;
    this.#arrays = arrays;
    this.#shape = shape;
  }

  /** Packs each row's winners to those that are positive; counts and sums say how many there are and what they add up to. */
  keepPositive(): void {
    const { values, indices, counts, sums } = this.#arrays;
    const { batch, cap } = this.#shape;
    this.#pool.run({
      kernel: 'keepPositive',
      args: [values.address, indices.address, cap, counts.address, sums.address],
      cuts: evenCuts(batch),
    });
  }

  /** Residuals, g_z and the sorted entries; `penalty` is added to g_z before the mean over the batch. */
  run(penalty: number): ForwardSums {
    const a = this.#arrays;
    const { width: d, latents: n, batch, cap } = this.#shape;
    const winners = [a.values.address, a.indices.address, a.counts.address, cap] as const;
    const gradient = a.preActivationGradient.address;
    const out = [a.residual.address, gradient, a.squaredError.address];
    this.#pool.run({
      kernel: 'decode',
      args: [...winners, a.decoder.w.address, a.xc.address, ...out, d, 2 / batch, penalty / batch],
      cuts: evenCuts(batch),
    });
    const active = this.#pool.kernels.sortByLatent(
      a.values.address,
      a.indices.address,
      gradient,
      a.counts.address,
      cap,
      batch,
      n,
      2 / batch,
      a.starts.address,
      a.entryRows.address,
      a.entryValues.address,
      a.entryGradients.address,
    );
    const starts = a.starts.view;
    return {
      squaredError: sum(a.squaredError.view),
      l1: sum(a.sums.view),
      active,
      firedRows: (latent) => starts[latent + 1]! - starts[latent]!,
    };
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
