import type { StepShape } from '../../../../shared/memory.js';
import type { KernelPool } from '../../../kernels/pool.js';
import { Encoder } from './encoder.js';
import type { Arrays } from './layout.js';
import { Preselection } from './preselection.js';

/** Steps between two comparisons of the candidates with the exact product. */
export const comparedEvery = 200;
/** Part of the winners that the candidates must hold. */
const leastRecall = 0.999;

/**
 * Which latents of each row are the largest: by way of int8 candidates as long as hardly any winner is missing among them,
 * which is measured on a chunk of the batch every so many steps; else, and where there are too few latents, exactly.
 */
export class Selection {
  readonly #arrays: Arrays;
  readonly #shape: StepShape;
  readonly #threads: number;
  readonly #preselection: Preselection | undefined;
  #encoder: Encoder | undefined;
  /** Of the last comparison; null before the first. */
  recall: number | null = null;

  private constructor(arrays: Arrays, shape: StepShape, threads: number, preselection?: Preselection) {
    this.#arrays = arrays;
    this.#shape = shape;
    this.#threads = threads;
    this.#preselection = preselection;
  }

  static async create(arrays: Arrays, pool: KernelPool, shape: StepShape, threads: number): Promise<Selection> {
    const preselection = shape.candidates > 0 ? await Preselection.create(arrays, pool, shape, threads) : undefined;
    return new Selection(arrays, shape, threads, preselection);
  }

  /**
   * Fills values and indices [B, cap] from x_c; `between` runs before each chunk. `step`: steps taken before; `exact`: whether
   * the last comparison spoke against candidates. Returns whether this one, or the last one, does.
   */
  async run(step: number, exact: boolean, between: () => Promise<void>): Promise<boolean> {
    const compared = step % comparedEvery === 0;
    if (this.#preselection && (!exact || compared)) {
      await this.#preselection.run(between);
      if (compared) exact = (this.recall = this.#preselection.recall()) < leastRecall;
    }
    if (!this.#preselection || exact) await (await this.#exactly()).run(between);
    else await this.#forget();
    return exact;
  }

  async #exactly(): Promise<Encoder> {
    return (this.#encoder ??= await Encoder.create(this.#arrays, this.#shape, this.#threads));
  }

  /** Gives back what the exact product takes: a copy of W_e, and pre-activations. */
  async #forget(): Promise<void> {
    await this.#encoder?.dispose();
    this.#encoder = undefined;
  }

  async dispose(): Promise<void> {
    await this.#forget();
    await this.#preselection?.dispose();
  }
}
