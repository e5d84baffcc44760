import { blocks, stepShape, type StepShape } from '../../../../shared/memory.js';
import type { Kernels } from '../../../kernels/kernels.js';
import type { Tensor } from '../../../sae/formats/safetensors.js';
import type { SaeWeights } from '../../../sae/weights.js';
import type { StepResult, TrainingBackend } from '../../backend.js';
import { AuxK } from './aux-k.js';
import { DenseStep } from './dense-step.js';
import { Encoder } from './encoder.js';
import { allocate, type Arrays } from './layout.js';
import type { CpuOptions } from './options.js';

/**
 * The fast path on a CPU: the encoder's Gemm and TopK in ONNX Runtime, everything after it in sparse SIMD kernels, two passes
 * over the latents instead of a gradient matrix: one for the norm that clipping needs, one that updates.
 */
export class CpuBackend implements TrainingBackend {
  readonly fired: Uint32Array<ArrayBuffer>;
  readonly #options: CpuOptions;
  readonly #shape: StepShape;
  readonly #arrays: Arrays;
  readonly #kernels: Kernels;
  readonly #encoder: Encoder;
  readonly #auxK: AuxK;
  readonly #dense: DenseStep | undefined;
  /** Tokens since each latent last fired, [n]. */
  readonly #sinceFired: Uint32Array<ArrayBuffer>;
  /** [steps taken, 1 while the batches are too dense for the sparse path] */
  readonly #state = new Uint32Array(2);
  /** s and V of the run. */
  readonly #constants = new Float64Array(2);

  private constructor(
    options: CpuOptions,
    allocated: ReturnType<typeof allocate>,
    encoder: Encoder,
    dense?: DenseStep,
  ) {
    this.#options = options;
    this.#shape = stepShape(options);
    this.#arrays = allocated.arrays;
    this.#kernels = allocated.kernels;
    this.#encoder = encoder;
    this.#dense = dense;
    this.#auxK = new AuxK(this.#arrays, this.#shape, options.threads, options.seed);
    this.#sinceFired = new Uint32Array(options.latents);
    this.fired = new Uint32Array(options.latents);
    this.#arrays.denseSlot.view.fill(-1);
    this.#state[1] = dense ? 1 : 0;
  }

  /** Allocates everything; the parameters are zero until `weights` and the constants are set or a checkpoint is read. */
  static async create(options: CpuOptions): Promise<CpuBackend> {
    const shape = stepShape(options);
    const allocated = allocate(shape);
    const encoder = await Encoder.create(allocated.arrays, shape, options.threads);
    const dense =
      options.architecture === 'standard'
        ? await DenseStep.create(allocated.arrays, shape, options.threads)
        : undefined;
    return new CpuBackend(options, allocated, encoder, dense);
  }

  get input(): Float32Array {
    return this.#arrays.xc.view;
  }

  get constants(): { scale: number; variance: number } {
    return { scale: this.#constants[0]!, variance: this.#constants[1]! };
  }

  set constants({ scale, variance }) {
    this.#constants.set([scale, variance]);
  }

  get weights(): SaeWeights {
    const { encoder, decoder, encoderBias, decoderBias } = this.#arrays;
    const { architecture, width, latents, k } = this.#options;
    return {
      architecture,
      width,
      latents,
      ...(architecture === 'topk' ? { k } : {}),
      encoder: encoder.w.view,
      decoder: decoder.w.view,
      encoderBias: encoderBias.w.view,
      decoderBias: decoderBias.w.view,
    };
  }

  get tensors(): Record<string, Tensor> {
    const { width: d, latents: n } = this.#shape;
    const { encoder, decoder, encoderBias, decoderBias } = this.#arrays;
    const parameter = (name: string, shape: number[], { w, m, v }: { w: View; m: View; v: View }) => ({
      [name]: { dtype: 'F32' as const, shape, data: w.view },
      [`${name}.m`]: { dtype: 'F32' as const, shape, data: m.view },
      [`${name}.v`]: { dtype: 'F32' as const, shape, data: v.view },
    });
    return {
      ...parameter('encoder', [n, d], encoder),
      ...parameter('decoder', [n, d], decoder),
      ...parameter('encoder_bias', [n], encoderBias),
      ...parameter('decoder_bias', [d], decoderBias),
      since_fired: { dtype: 'U32', shape: [n], data: this.#sinceFired },
      fired: { dtype: 'U32', shape: [n], data: this.fired },
      state: { dtype: 'U32', shape: [2], data: this.#state },
      constants: { dtype: 'F64', shape: [2], data: this.#constants },
    };
  }

  startEpoch(): void {
    this.fired.fill(0);
  }

  async step(learningRate: number, sparsityCoef: number, between: () => Promise<void>): Promise<StepResult> {
    const a = this.#arrays;
    const { width: d, batch } = this.#shape;
    const { scale, variance } = this.constants;
    this.#kernels.center(a.xc.address, d, scale, a.decoderBias.w.address, 0, batch);
    a.encoderBias.gradient.view.fill(0);

    const penalty = this.#dense ? sparsityCoef : 0;
    const sums = (await this.#sparseForward(penalty, between)) ?? (await this.#denseForward(penalty, between));

    const t = (this.#state[0] = this.#state[0]! + 1);
    const dead = this.#countFiring(sums.firedRows);
    const squaredError = sums.squaredError / batch;
    const residualSum = this.#residualSum();
    const meanResidual = residualSum.reduce((sum, r) => sum + (r / batch) ** 2, 0);
    let auxLoss = 0;
    if (this.#options.architecture === 'topk' && this.#options.auxCoef > 0 && dead.length > 0) {
      const leftOver = squaredError - meanResidual; // V_e, the batch's Σ_d Var(e)
      const rounding = 1e-5 * squaredError; // where all rows err alike V_e is zero, and what is left of it is noise
      const share = Math.min(dead.length / (d / 2), 1);
      const weight = leftOver > rounding ? (this.#options.auxCoef * share * variance) / leftOver : 0;
      auxLoss = await this.#auxK.run(dead, weight, t);
    }
    const gradientNorm = this.#update(residualSum, learningRate, t);
    if (this.#dense) a.denseSlot.view.fill(-1);
    else for (const latent of dead) a.denseSlot.view[latent] = -1;
    return {
      reconstructionLoss: squaredError,
      sparsityLoss: (penalty * sums.l1) / batch,
      auxLoss,
      l0: sums.active / batch,
      gradientNorm,
      dead: dead.length,
    };
  }

  /** The sparse path up to g_z and the sorted entries; undefined where a row has more active latents than it can take. */
  async #sparseForward(penalty: number, between: () => Promise<void>): Promise<ForwardSums | undefined> {
    const a = this.#arrays;
    const { width: d, latents: n, batch, cap } = this.#shape;
    if (this.#state[1] === 1) return undefined;
    await this.#encoder.run(between);
    const { values, indices, counts, sums, starts } = a;
    this.#kernels.keepPositive(values.address, indices.address, cap, counts.address, sums.address, 0, batch);
    if (this.#dense && cap < n && counts.view.includes(cap)) {
      this.#state[1] = 1;
      return undefined;
    }
    this.#kernels.decode(
      values.address,
      indices.address,
      counts.address,
      cap,
      a.decoder.w.address,
      a.xc.address,
      a.residual.address,
      a.preActivationGradient.address,
      a.squaredError.address,
      d,
      2 / batch,
      penalty / batch,
      0,
      batch,
    );
    const active = this.#kernels.sortByLatent(
      values.address,
      indices.address,
      a.preActivationGradient.address,
      counts.address,
      cap,
      batch,
      n,
      2 / batch,
      starts.address,
      a.entryRows.address,
      a.entryValues.address,
      a.entryGradients.address,
    );
    return {
      squaredError: sum(a.squaredError.view),
      l1: sum(sums.view),
      active,
      firedRows: (latent) => starts.view[latent + 1]! - starts.view[latent]!,
    };
  }

  async #denseForward(penalty: number, between: () => Promise<void>): Promise<ForwardSums> {
    const a = this.#arrays;
    const dense = this.#dense!;
    const { l1, active, mostActive, activePerLatent } = await dense.run(penalty, between);
    a.starts.view.fill(0);
    this.#state[1] = mostActive < this.#shape.cap ? 0 : 1;
    let squaredError = 0;
    for (const r of a.residual.view) squaredError += r * r;
    return { squaredError, l1, active, firedRows: (latent) => activePerLatent[latent]! };
  }

  /** Updates the firing counters and returns the dead latents, ascending. */
  #countFiring(firedRows: (latent: number) => number): number[] {
    const dead: number[] = [];
    for (let i = 0; i < this.#shape.latents; i++) {
      const rows = firedRows(i);
      this.fired[i] = this.fired[i]! + rows;
      const since = rows > 0 ? 0 : Math.min(this.#sinceFired[i]! + this.#shape.batch, 2 ** 32 - 1);
      this.#sinceFired[i] = since;
      if (since >= this.#options.deadAfterTokens) dead.push(i);
    }
    return dead;
  }

  /** Σ_b r_b, [d], over fixed blocks of rows. */
  #residualSum(): Float64Array {
    const { width: d, batch } = this.#shape;
    const { blockSums, residual } = this.#arrays;
    blockSums.view.fill(0);
    for (const [block, from, to] of cut(batch)) {
      this.#kernels.columnSums(residual.address, d, 1, blockSums.address + block * d * 4, from, to);
    }
    return this.#reduceBlocks();
  }

  /** Both passes over the latents; returns the gradient norm. */
  #update(residualSum: Float64Array, learningRate: number, t: number): number {
    const a = this.#arrays;
    const { width: d, latents: n, batch } = this.#shape;
    const { beta1, beta2, epsilon, clipNorm } = this.#options;
    const { encoder, decoder, encoderBias, decoderBias, blockSums } = a;
    const entries = [a.starts.address, a.entryRows.address, a.entryValues.address, a.entryGradients.address] as const;
    const dense = [a.denseSlot.address, a.denseEncoder.address, a.denseDecoder.address, a.scratch.address] as const;

    blockSums.view.fill(0);
    for (const [block, from, to] of cut(n)) {
      this.#kernels.gradientNorms(
        ...entries,
        a.residual.address,
        a.xc.address,
        encoder.w.address,
        decoder.w.address,
        ...dense,
        a.norms.address,
        encoderBias.gradient.address,
        blockSums.address + block * d * 4,
        d,
        from,
        to,
      );
    }
    const throughEncoder = this.#reduceBlocks();
    for (let j = 0; j < d; j++) {
      decoderBias.gradient.view[j] = (2 / batch) * residualSum[j]! - throughEncoder[j]!;
    }
    const square =
      sum(a.norms.view) + sumOfSquares(encoderBias.gradient.view) + sumOfSquares(decoderBias.gradient.view);
    const norm = Math.sqrt(square);
    const clip = Math.min(1, clipNorm / (norm + 1e-6));
    const correction = Math.sqrt(1 - beta2 ** t);
    const rate = (learningRate * correction) / (1 - beta1 ** t);
    const adam = [clip, rate, beta1, 1 - beta1, beta2, 1 - beta2, epsilon * correction] as const;
    this.#kernels.update(
      ...entries,
      a.residual.address,
      a.xc.address,
      encoder.w.address,
      encoder.m.address,
      encoder.v.address,
      decoder.w.address,
      decoder.m.address,
      decoder.v.address,
      ...dense,
      d,
      ...adam,
      0,
      n,
    );
    for (const { w, m, v, gradient } of [encoderBias, decoderBias]) {
      this.#kernels.adam(w.address, m.address, v.address, gradient.address, w.view.length, ...adam);
    }
    return norm;
  }

  #reduceBlocks(): Float64Array {
    const d = this.#shape.width;
    const total = new Float64Array(d);
    this.#arrays.blockSums.view.forEach((value, i) => (total[i % d]! += value));
    return total;
  }

  async dispose(): Promise<void> {
    await this.#encoder.dispose();
    await this.#auxK.dispose();
    await this.#dense?.dispose();
  }
}

interface View {
  view: Float32Array;
}

interface ForwardSums {
  /** Σ ‖r‖² over the batch. */
  squaredError: number;
  l1: number;
  active: number;
  firedRows: (latent: number) => number;
}

/** The fixed blocks of a range: [block, from, to]. */
function* cut(length: number): Generator<[number, number, number]> {
  for (let block = 0; block < blocks; block++) {
    yield [block, Math.floor((block * length) / blocks), Math.floor(((block + 1) * length) / blocks)];
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function sumOfSquares(values: Float32Array): number {
  return values.reduce((total, value) => total + value * value, 0);
}
