import { blocks, scratchLength, type StepShape } from '../../../../shared/memory.js';
import type { KernelPool } from '../../../kernels/pool.js';
import { balancedCuts, evenCuts } from './cuts.js';
import type { Arrays } from './layout.js';
import type { CpuOptions } from './options.js';
import { profiler } from '../../../profile.js';

/** What a latent costs by itself, in entries: in the pass that forms its gradient, and in the one that moves it too. */
const normCost = 2;
const updateCost = 10;

/**
 * Both passes over the latents. The first forms each latent's gradient rows for their norm, which clipping needs; the second
 * moves the parameters. Rows are kept for it where there is room: in a large model no gradient matrix exists, and the second
 * pass forms most of them again.
 */
export class Update {
  readonly #pool: KernelPool;
  readonly #arrays: Arrays;
  readonly #shape: StepShape;
  readonly #options: CpuOptions;

  constructor(pool: KernelPool, arrays: Arrays, shape: StepShape, options: CpuOptions) {
    this.#pool = pool;
    this.#arrays = arrays;
    this.#shape = shape;
    this.#options = options;
  }

  /** Σ_b r_b, [d]. */
  residualSum(): Float64Array {
    const { width: d, batch } = this.#shape;
    const { blockSums, residual } = this.#arrays;
    blockSums.view.fill(0);
    this.#pool.run({
      kernel: 'columnSums',
      args: [residual.address, d, 1, blockSums.address],
      cuts: evenCuts(batch),
      rangeBytes: 4 * d,
    });
    return this.#reduceBlocks();
  }

  /** Step t, from 1; returns the norm of all gradients before clipping. */
  run(residualSum: Float64Array, learningRate: number, t: number): number {
    const a = this.#arrays;
    const { latents: n } = this.#shape;
    const { beta1, beta2, epsilon, clipNorm } = this.#options;
    const { encoderBias, decoderBias } = a;
    const throughEncoder = this.#norms();
    decoderBias.gradient.view.forEach((_, j, gradient) => {
      gradient[j] = (2 / this.#shape.batch) * residualSum[j]! - throughEncoder[j]!;
    });
    const square =
      sum(a.norms.view) + sumOfSquares(encoderBias.gradient.view) + sumOfSquares(decoderBias.gradient.view);
    const norm = Math.sqrt(square);
    const clip = Math.min(1, clipNorm / (norm + 1e-6));
    const correction = Math.sqrt(1 - beta2 ** t);
    const rate = (learningRate * correction) / (1 - beta1 ** t);
    const adam = [clip, rate, beta1, 1 - beta1, beta2, 1 - beta2, epsilon * correction] as const;
    profiler.spendSync('optimizer', () => {
      this.#move(adam);
      for (const { w, m, v, gradient } of [encoderBias, decoderBias]) {
        this.#pool.kernels.adam(w.address, m.address, v.address, gradient.address, w.view.length, ...adam);
      }
    });
    a.denseSlot.view.fill(-1, 0, n);
    return norm;
  }

  /** The first pass; returns Σ_i (Σ_b g_h[b, i]) W_e[i], [d]. */
  #norms(): Float64Array {
    const a = this.#arrays;
    const { width: d, latents: n, candidates } = this.#shape;
    a.blockSums.view.fill(0);
    const before = [...this.#entries(), a.encoder.w.address, a.decoder.w.address, ...this.#dense()];
    const after = [a.norms.address, a.encoderBias.gradient.address, a.blockSums.address];
    this.#pool.run({
      kernel: 'gradientNorms',
      args: [...before, ...this.#places(), ...after, d],
      cuts: balancedCuts(a.starts.view, n, normCost),
      threadBytes: 4 * scratchLength(d, candidates),
      rangeBytes: 4 * d,
    });
    return this.#reduceBlocks();
  }

  /** The second pass. */
  #move(adam: readonly number[]): void {
    const a = this.#arrays;
    const { width: d, latents: n, candidates, kept } = this.#shape;
    const matrices = [a.encoder, a.decoder].flatMap(({ w, m, v }) => [w.address, m.address, v.address]);
    const before = [...this.#entries(), ...matrices, ...this.#dense()];
    this.#pool.run({
      kernel: 'update',
      args: [...before, ...this.#places(), d, ...adam],
      cuts: balancedCuts(a.starts.view, n, updateCost, kept),
      threadBytes: 4 * scratchLength(d, candidates),
    });
  }

  #entries(): number[] {
    const a = this.#arrays;
    const entries = [a.starts, a.entryRows, a.entryValues, a.entryGradients, a.residual, a.xc];
    return entries.map(({ address }) => address);
  }

  #dense(): number[] {
    const { denseSlot, denseEncoder, denseDecoder } = this.#arrays;
    return [denseSlot.address, denseEncoder.address, denseDecoder.address];
  }

  /** Where gradient rows are formed. */
  #places(): number[] {
    const { scratch, gradients } = this.#arrays;
    return [scratch.address, this.#shape.kept, gradients.address];
  }

  #reduceBlocks(): Float64Array {
    const d = this.#shape.width;
    const total = new Float64Array(d);
    const { view } = this.#arrays.blockSums;
    for (let block = 0; block < blocks; block++) for (let j = 0; j < d; j++) total[j]! += view[block * d + j]!;
    return total;
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function sumOfSquares(values: Float32Array): number {
  return values.reduce((total, value) => total + value * value, 0);
}
