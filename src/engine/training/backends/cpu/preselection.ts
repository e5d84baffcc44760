import { blocks, comparedRows, scratchLength, type StepShape } from '../../../../shared/memory.js';
import type { KernelPool } from '../../../kernels/pool.js';
import { createSession, ort } from '../../../ort.js';
import { candidatesGraph } from '../../../sae/graphs.js';
import { evenCuts, latentCuts } from './cuts.js';
import type { Arrays } from './layout.js';

/**
 * Weights are rounded to 7 bits: two products of an 8-bit and a 7-bit number fit the 16 bits in which older processors add
 * them up, so that every processor finds the same candidates.
 */
const weightRange = 63;
const rowRange = 127;
/**
 * Where larger activations may be cut off, in units of the batch's root mean square: one outlier must not blur all others. Of
 * these, the one by which a sample of values is changed least is taken.
 */
const cutOffs = [6, 8, 10, 14];
const sampled = 2 ** 13;

/** Pre-activations of the same row and latent may differ by this much, by the order in which they are added up. */
const rounding = 1e-5;

/** Rows of a run of the graph: the more latents, the more rows the product wants, as long as the approximations fit. */
const chunkRows = (latents: number, rows: number) =>
  Math.min(rows, Math.max(512, Math.min(1024, Math.floor(latents / 16))), Math.max(256, Math.floor(2 ** 24 / latents)));

/**
 * The encoder in two steps: an int8 product proposes `candidates` latents of each row, and of those the exact pre-activations
 * decide which k are the largest. Integers add up exactly, so that the result depends on no number of threads.
 */
export class Preselection {
  readonly #session: ort.InferenceSession;
  readonly #pool: KernelPool;
  readonly #arrays: Arrays;
  readonly #shape: StepShape;
  readonly #chunk: number;
  readonly #encoder: Int8Array;
  readonly #scales: Float32Array;
  readonly #bias: Float32Array;
  readonly #rows: Uint8Array;
  readonly #indices: Int32Array;

  private constructor(session: ort.InferenceSession, pool: KernelPool, arrays: Arrays, shape: StepShape) {
    const { width: d, latents: n, batch, candidates } = shape;
    this.#session = session;
    this.#pool = pool;
    this.#arrays = arrays;
    this.#shape = shape;
    this.#chunk = chunkRows(n, batch);
    this.#encoder = new Int8Array(d * n);
    this.#scales = new Float32Array(n);
    this.#bias = new Float32Array(n);
    this.#rows = new Uint8Array(this.#chunk * d);
    this.#indices = new Int32Array(this.#chunk * candidates);
  }

  static async create(arrays: Arrays, pool: KernelPool, shape: StepShape, threads: number): Promise<Preselection> {
    const graph = candidatesGraph(shape.width, shape.latents, shape.candidates);
    return new Preselection(await createSession(graph, threads), pool, arrays, shape);
  }

  /** Fills values and indices [B, cap] from x_c; `between` runs before each chunk. */
  async run(between: () => Promise<void>): Promise<void> {
    const a = this.#arrays;
    const { width: d, latents: n, batch, cap, candidates } = this.#shape;
    const step = this.#quantize();
    this.#encoder.set(new Int8Array(a.quantizedEncoder.view.buffer, a.quantizedEncoder.address, d * n));
    for (let i = 0; i < n; i++) this.#scales[i] = a.encoderScales.view[i]! * step;
    this.#bias.set(a.encoderBias.w.view);
    for (let from = 0; from < batch; from += this.#chunk) {
      await between();
      const to = Math.min(batch, from + this.#chunk);
      const rows = to - from;
      this.#rows.set(a.quantizedRows.view.subarray(from * d, to * d));
      await this.#session.run(
        {
          rows: new ort.Tensor('uint8', this.#rows.subarray(0, rows * d), [rows, d]),
          encoder: new ort.Tensor('int8', this.#encoder, [d, n]),
          scales: new ort.Tensor('float32', this.#scales, [n]),
          bias: new ort.Tensor('float32', this.#bias, [n]),
        },
        { indices: new ort.Tensor('int32', this.#indices.subarray(0, rows * candidates), [rows, candidates]) },
      );
      a.candidates.view.set(this.#indices.subarray(0, rows * candidates), from * candidates);
    }
    this.#pool.run({
      kernel: 'rank',
      args: [
        a.xc.address,
        d,
        a.encoder.w.address,
        a.encoderBias.w.address,
        a.candidates.address,
        candidates,
        cap,
        a.values.address,
        a.indices.address,
        a.scratch.address,
      ],
      cuts: evenCuts(batch),
      threadBytes: 4 * scratchLength(d, candidates),
    });
  }

  /**
   * After `run`: of the batch's first rows, the part of their winners that is among the candidates; of rows without so many
   * positive pre-activations, only these count. Never too high: where several winners of a row are missing it may be too low.
   */
  recall(): number {
    const a = this.#arrays;
    const { width: d, latents: n, batch, cap } = this.#shape;
    const rows = Math.min(comparedRows, batch);
    const values = (row: number) => a.values.view.subarray(row * cap, (row + 1) * cap);
    for (let row = 0; row < rows; row++) {
      const smallest = values(row).reduce((least, value) => Math.min(least, value));
      a.thresholds.view[row] = Math.max(0, smallest * (1 + rounding));
    }
    this.#pool.run({
      kernel: 'countAbove',
      args: [
        a.xc.address,
        rows,
        d,
        a.encoder.w.address,
        a.encoderBias.w.address,
        a.thresholds.address,
        a.above.address,
      ],
      cuts: evenCuts(n),
      rangeBytes: 4 * rows,
    });
    let wanted = 0;
    let missing = 0;
    for (let row = 0; row < rows; row++) {
      const threshold = a.thresholds.view[row]!;
      const own = values(row).reduce((count, value) => count + (value > threshold ? 1 : 0), 0);
      let above = 0;
      for (let block = 0; block < blocks; block++) above += a.above.view[block * rows + row]!;
      wanted += threshold > 0 ? cap : Math.min(cap, above);
      missing += Math.min(cap, above - own);
    }
    return wanted > 0 ? 1 - missing / wanted : 1;
  }

  /** W_e and x_c as small integers; the step between two of x_c's. */
  #quantize(): number {
    const a = this.#arrays;
    const { width: d, latents: n, batch } = this.#shape;
    this.#pool.run({
      kernel: 'quantizeLatents',
      args: [a.encoder.w.address, d, n, weightRange, a.quantizedEncoder.address, a.encoderScales.address],
      cuts: latentCuts(n),
    });
    const rows = evenCuts(batch);
    this.#pool.run({
      kernel: 'sumOfSquares',
      args: [a.xc.address, d, a.squares.address],
      cuts: rows,
      rangeBytes: 8,
    });
    const meanSquare = a.squares.view.subarray(0, blocks).reduce((sum, square) => sum + square, 0) / (batch * d);
    const step = bestStep(a.xc.view, Math.sqrt(meanSquare)) || 1;
    this.#pool.run({
      kernel: 'quantizeRows',
      args: [a.xc.address, d, step, a.quantizedRows.address],
      cuts: rows,
    });
    return step;
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}

/** The step between two of x's integers with the least mean squared change of the values; 0 if all are. */
function bestStep(values: Float32Array, rootMeanSquare: number): number {
  const stride = Math.max(1, Math.floor(values.length / sampled)) | 1; // odd: every dimension takes part
  const errors = cutOffs.map((cutOff) => {
    const largest = cutOff * rootMeanSquare;
    let square = 0;
    let count = 0;
    for (let i = 0; i < values.length; i += stride) {
      const beyond = Math.max(0, Math.abs(values[i]!) - largest);
      square += beyond * beyond;
      count++;
    }
    return square / count + (largest / rowRange) ** 2 / 12; // what rounding adds: the variance of a uniform step
  });
  return (cutOffs[errors.indexOf(Math.min(...errors))]! * rootMeanSquare) / rowRange;
}
