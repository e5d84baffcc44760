import { loadKernels, type Kernels } from '../kernels/kernels.js';
import { MemoryPlan, type Block } from '../kernels/memory.js';
import { createSession, ort } from '../ort.js';
import { denseEncoderGraph, topkEncoderGraph } from './graphs.js';
import type { SaeWeights } from './weights.js';
import { profiler } from '../profile.js';

type Floats = Float32Array;
type Ints = Int32Array;

/** The active latents of some rows. */
export interface Codes {
  /** [rows + 1]: the active latents of row b are indices and values [offsets[b], offsets[b + 1]). */
  offsets: Int32Array;
  /** Active latents, in no particular order within a row. */
  indices: Int32Array;
  /** Their activations z > 0. */
  values: Float32Array;
}

/** What an SAE makes of some rows. */
export interface Inferred extends Codes {
  /** x̂, [rows, d]; valid until the next run. */
  reconstruction: Float32Array;
}

interface Arrays {
  decoder: Block<Floats>;
  bias: Block<Floats>;
  xc: Block<Floats>;
  residual: Block<Floats>;
  values: Block<Floats>;
  indices: Block<Ints>;
  counts: Block<Ints>;
  sums: Block<Float64Array>;
  errors: Block<Float64Array>;
}

/** Rows of a run: as few as keep the encoder's matrix product fast, fewer where their pre-activations would fill the memory. */
function rowsPerRun(cap: number): number {
  return Math.max(1, Math.min(512, Math.floor(2 ** 24 / cap)));
}

/** A trained SAE to run forward: inputs and outputs are in the units of its weights. */
export class SaeInference {
  /** Most rows of a run. */
  readonly maxRows: number;
  readonly #weights: SaeWeights;
  readonly #session: ort.InferenceSession;
  readonly #arrays: Arrays;
  readonly #kernels: Kernels;
  /** Entries of a row before those that are not positive are dropped. */
  readonly #cap: number;
  readonly #parameters: { encoder: ort.Tensor; encoder_bias: ort.Tensor };

  private constructor(weights: SaeWeights, session: ort.InferenceSession, rows?: number) {
    const { width: d, latents: n } = weights;
    this.#weights = weights;
    this.#session = session;
    this.#cap = weights.architecture === 'topk' ? weights.k! : n;
    const maxRows = (this.maxRows = rows ?? rowsPerRun(this.#cap));
    const plan = new MemoryPlan();
    this.#arrays = {
      decoder: plan.float32(n * d),
      bias: plan.float32(d),
      xc: plan.float32(maxRows * d),
      residual: plan.float32(maxRows * d),
      values: plan.float32(maxRows * this.#cap),
      indices: plan.int32(maxRows * this.#cap),
      counts: plan.int32(maxRows),
      sums: plan.float64(maxRows),
      errors: plan.float64(maxRows),
    };
    this.#kernels = loadKernels(plan.allocate());
    this.#arrays.decoder.view.set(weights.decoder);
    this.#arrays.bias.view.set(weights.decoderBias);
    this.#parameters = {
      encoder: new ort.Tensor('float32', weights.encoder, [n, d]),
      encoder_bias: new ort.Tensor('float32', weights.encoderBias, [n]),
    };
  }

  static async create(weights: SaeWeights, threads: number, maxRows?: number): Promise<SaeInference> {
    const { architecture, width, latents, k } = weights;
    const graph = architecture === 'topk' ? topkEncoderGraph(width, latents, k!) : denseEncoderGraph(width, latents);
    return new SaeInference(weights, await createSession(graph, threads), maxRows);
  }

  /** Encodes the first `rows` rows of x, [rows, d], rows ≤ maxRows. */
  encode(x: Float32Array, rows: number): Promise<Codes> {
    return profiler.spend('kernels', async () => {
      await this.#encode(x, rows);
      return this.#entries(rows);
    });
  }

  /** Encodes and decodes them. */
  run(x: Float32Array, rows: number): Promise<Inferred> {
    return profiler.spend('kernels', async () => {
      await this.#encode(x, rows);
      return { reconstruction: this.#decode(x, rows), ...this.#entries(rows) };
    });
  }

  /** Leaves each row's active latents packed in its part of values and indices. */
  async #encode(x: Float32Array, rows: number): Promise<void> {
    const { width: d, latents: n } = this.#weights;
    const a = this.#arrays;
    a.xc.view.set(x.subarray(0, rows * d));
    this.#kernels.center(a.xc.address, d, 1, a.bias.address, 0, rows);
    const cap = this.#cap;
    const topk = this.#weights.architecture === 'topk';
    const feeds = { ...this.#parameters, xc: new ort.Tensor('float32', a.xc.view.subarray(0, rows * d), [rows, d]) };
    const values = new ort.Tensor('float32', a.values.view.subarray(0, rows * cap), [rows, cap]);
    if (topk) {
      const indices = new ort.Tensor('int32', a.indices.view.subarray(0, rows * cap), [rows, cap]);
      await profiler.spend('encoder', () => this.#session.run(feeds, { values, indices }));
      this.#kernels.keepPositive(a.values.address, a.indices.address, cap, a.counts.address, a.sums.address, 0, rows);
    } else {
      await profiler.spend('encoder', () => this.#session.run(feeds, { h: values }));
      this.#kernels.keepPositiveDense(a.values.address, a.indices.address, n, a.counts.address, 0, rows);
    }
  }

  #decode(x: Float32Array, rows: number): Float32Array {
    const d = this.#weights.width;
    const a = this.#arrays;
    const addresses = [a.values.address, a.indices.address, a.counts.address, this.#cap, a.decoder.address] as const;
    this.#kernels.decode(...addresses, a.xc.address, a.residual.address, 0, a.errors.address, d, 0, 0, 0, rows);
    const reconstruction = a.residual.view.subarray(0, rows * d);
    for (let i = 0; i < reconstruction.length; i++) reconstruction[i] = reconstruction[i]! + x[i]!;
    return reconstruction;
  }

  /** The packed rows as one list. */
  #entries(rows: number): Codes {
    const { counts, indices, values } = this.#arrays;
    const offsets = new Int32Array(rows + 1);
    for (let row = 0; row < rows; row++) offsets[row + 1] = offsets[row]! + counts.view[row]!;
    const list = { offsets, indices: new Int32Array(offsets[rows]!), values: new Float32Array(offsets[rows]!) };
    for (let row = 0; row < rows; row++) {
      const from = row * this.#cap;
      const to = from + counts.view[row]!;
      list.indices.set(indices.view.subarray(from, to), offsets[row]);
      list.values.set(values.view.subarray(from, to), offsets[row]);
    }
    return list;
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}
