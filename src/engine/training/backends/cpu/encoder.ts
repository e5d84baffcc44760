import type { StepShape } from '../../../../shared/memory.js';
import { topkEncoderGraph } from '../../../sae/graphs.js';
import { createSession, ort } from '../../../ort.js';
import type { Arrays } from './layout.js';

/** Rows per run of an encoder graph: as few as keep the matrix product fast, so that pre-activations stay near the cores. */
export function chunkRows(latents: number, rows: number): number {
  return Math.min(rows, Math.max(512, Math.floor(2 ** 21 / latents)));
}

/**
 * The encoder as Gemm → TopK over chunks of the batch. ONNX Runtime takes no memory that threads share: the parameters are
 * copied for it once a step, rows and winners by the chunk.
 */
export class Encoder {
  readonly #session: ort.InferenceSession;
  readonly #arrays: Arrays;
  readonly #shape: StepShape;
  readonly #chunk: number;
  readonly #encoder: Float32Array;
  readonly #bias: Float32Array;
  readonly #rows: Float32Array;
  readonly #values: Float32Array;
  readonly #indices: Int32Array;

  private constructor(session: ort.InferenceSession, arrays: Arrays, shape: StepShape) {
    const { width: d, latents: n, batch, cap } = shape;
    this.#session = session;
    this.#arrays = arrays;
    this.#shape = shape;
    this.#chunk = chunkRows(n, batch);
    this.#encoder = new Float32Array(n * d);
    this.#bias = new Float32Array(n);
    this.#rows = new Float32Array(this.#chunk * d);
    this.#values = new Float32Array(this.#chunk * cap);
    this.#indices = new Int32Array(this.#chunk * cap);
  }

  static async create(arrays: Arrays, shape: StepShape, threads: number): Promise<Encoder> {
    const session = await createSession(topkEncoderGraph(shape.width, shape.latents, shape.cap), threads);
    return new Encoder(session, arrays, shape);
  }

  /** Fills values and indices [B, cap] from x_c; `between` runs before each chunk. */
  async run(between: () => Promise<void>): Promise<void> {
    const { values, indices } = this.#arrays;
    const { batch, cap } = this.#shape;
    this.#copyParameters();
    for (let from = 0; from < batch; from += this.#chunk) {
      await between();
      const to = Math.min(batch, from + this.#chunk);
      await this.#runChunk(from, to);
      values.view.set(this.#values.subarray(0, (to - from) * cap), from * cap);
      indices.view.set(this.#indices.subarray(0, (to - from) * cap), from * cap);
    }
  }

  #copyParameters(): void {
    this.#encoder.set(this.#arrays.encoder.w.view);
    this.#bias.set(this.#arrays.encoderBias.w.view);
  }

  async #runChunk(from: number, to: number): Promise<void> {
    const { width: d, latents: n, cap } = this.#shape;
    const rows = to - from;
    this.#rows.set(this.#arrays.xc.view.subarray(from * d, to * d));
    await this.#session.run(
      {
        encoder: new ort.Tensor('float32', this.#encoder, [n, d]),
        encoder_bias: new ort.Tensor('float32', this.#bias, [n]),
        xc: new ort.Tensor('float32', this.#rows.subarray(0, rows * d), [rows, d]),
      },
      {
        values: new ort.Tensor('float32', this.#values.subarray(0, rows * cap), [rows, cap]),
        indices: new ort.Tensor('int32', this.#indices.subarray(0, rows * cap), [rows, cap]),
      },
    );
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}
