import { stepShape, type StepShape } from '../../../../shared/memory.js';
import type { KernelPool } from '../../../kernels/pool.js';
import type { Tensor } from '../../../sae/formats/safetensors.js';
import type { SaeWeights } from '../../../sae/weights.js';
import type { StepResult, TrainingBackend } from '../../backend.js';
import { AuxK } from './aux-k.js';
import { evenCuts } from './cuts.js';
import { DenseStep } from './dense-step.js';
import { allocate, type Arrays } from './layout.js';
import type { CpuOptions } from './options.js';
import { Selection } from './selection.js';
import { SparseStep, type ForwardSums } from './sparse-step.js';
import { Update } from './update.js';
import { profiler } from '../../../profile.js';

/**
 * The fast path on a CPU: the encoder's product and TopK in ONNX Runtime, everything after it in sparse SIMD kernels that
 * threads share, with two passes over the latents: one for the norm that clipping needs, one that updates.
 */
export class CpuBackend implements TrainingBackend {
  readonly fired: Uint32Array<ArrayBuffer>;
  readonly #options: CpuOptions;
  readonly #shape: StepShape;
  readonly #arrays: Arrays;
  readonly #pool: KernelPool;
  readonly #selection: Selection;
  readonly #sparse: SparseStep;
  readonly #update: Update;
  readonly #auxK: AuxK;
  readonly #dense: DenseStep | undefined;
  /** Tokens since each latent last fired, [n]. */
  readonly #sinceFired: Uint32Array<ArrayBuffer>;
  /** [steps taken, 1 while the batches are too dense for the sparse path, 1 while candidates would miss too many winners] */
  readonly #state = new Uint32Array(3);
  /** s and V of the run. */
  readonly #constants = new Float64Array(2);

  private constructor(
    options: CpuOptions,
    { arrays, pool }: Awaited<ReturnType<typeof allocate>>,
    selection: Selection,
    dense?: DenseStep,
  ) {
    const shape = stepShape(options);
    this.#options = options;
    this.#shape = shape;
    this.#arrays = arrays;
    this.#pool = pool;
    this.#selection = selection;
    this.#dense = dense;
    this.#sparse = new SparseStep(pool, arrays, shape);
    this.#update = new Update(pool, arrays, shape, options);
    this.#auxK = new AuxK(arrays, shape, options.threads, options.seed);
    this.#sinceFired = new Uint32Array(options.latents);
    this.fired = new Uint32Array(options.latents);
    arrays.denseSlot.view.fill(-1);
    this.#state[1] = dense ? 1 : 0;
  }

  /** Allocates everything; the parameters are zero until `weights` and the constants are set or a checkpoint is read. */
  static async create(options: CpuOptions): Promise<CpuBackend> {
    const shape = stepShape(options);
    const allocated = await allocate(shape, options.threads);
    const { arrays, pool } = allocated;
    const selection = await Selection.create(arrays, pool, shape, options.threads);
    const dense =
      options.architecture === 'standard' ? await DenseStep.create(arrays, shape, options.threads) : undefined;
    return new CpuBackend(options, allocated, selection, dense);
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
      state: { dtype: 'U32', shape: [3], data: this.#state },
      constants: { dtype: 'F64', shape: [2], data: this.#constants },
    };
  }

  /** Part of the winners that int8 candidates held when last compared with the exact product; null where they were not. */
  get recall(): number | null {
    return this.#selection.recall;
  }

  startEpoch(): void {
    this.fired.fill(0);
  }

  step(learningRate: number, sparsityCoef: number, between: () => Promise<void>): Promise<StepResult> {
    return profiler.spend('kernels', () => this.#step(learningRate, sparsityCoef, between));
  }

  async #step(learningRate: number, sparsityCoef: number, between: () => Promise<void>): Promise<StepResult> {
    const a = this.#arrays;
    const { width: d, batch } = this.#shape;
    const { scale, variance } = this.constants;
    this.#pool.run({
      kernel: 'center',
      args: [a.xc.address, d, scale, a.decoderBias.w.address],
      cuts: evenCuts(batch),
    });
    a.encoderBias.gradient.view.fill(0);

    const penalty = this.#dense ? sparsityCoef : 0;
    const sums = (await this.#sparseForward(penalty, between)) ?? (await this.#denseForward(penalty, between));

    const t = (this.#state[0] = this.#state[0]! + 1);
    const dead = this.#countFiring(sums.firedRows);
    const squaredError = sums.squaredError / batch;
    const residualSum = this.#update.residualSum();
    const meanResidual = residualSum.reduce((sum, r) => sum + (r / batch) ** 2, 0);
    let auxLoss = 0;
    if (this.#options.architecture === 'topk' && this.#options.auxCoef > 0 && dead.length > 0) {
      const leftOver = squaredError - meanResidual; // V_e, the batch's Σ_d Var(e)
      const rounding = 1e-5 * squaredError; // where all rows err alike V_e is zero, and what is left of it is noise
      const share = Math.min(dead.length / (d / 2), 1);
      const weight = leftOver > rounding ? (this.#options.auxCoef * share * variance) / leftOver : 0;
      auxLoss = await this.#auxK.run(dead, weight, t);
    }
    const gradientNorm = this.#update.run(residualSum, learningRate, t);
    return {
      reconstructionLoss: squaredError,
      sparsityLoss: (penalty * sums.l1) / batch,
      auxLoss,
      l0: sums.active / batch,
      gradientNorm,
      dead: dead.length,
    };
  }

  /** The sparse path up to the sorted entries; undefined where a row has more active latents than it can take. */
  async #sparseForward(penalty: number, between: () => Promise<void>): Promise<ForwardSums | undefined> {
    const { latents: n, cap } = this.#shape;
    const [step, isDense, exact] = this.#state;
    if (isDense === 1) return undefined;
    const candidatesFail = await profiler.spend('encoder', () => this.#selection.run(step!, exact === 1, between));
    this.#state[2] = candidatesFail ? 1 : 0;
    this.#sparse.keepPositive();
    if (this.#dense && cap < n && this.#arrays.counts.view.includes(cap)) {
      this.#state[1] = 1;
      return undefined;
    }
    return this.#sparse.run(penalty);
  }

  async #denseForward(penalty: number, between: () => Promise<void>): Promise<ForwardSums> {
    const a = this.#arrays;
    const dense = this.#dense!;
    const { l1, active, mostActive, activePerLatent } = await profiler.spend('encoder', () =>
      dense.run(penalty, between),
    );
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

  async dispose(): Promise<void> {
    await this.#selection.dispose();
    await this.#auxK.dispose();
    await this.#dense?.dispose();
    await this.#pool.dispose();
  }
}

interface View {
  view: Float32Array;
}
