import type { StepShape } from '../../../../shared/memory.js';
import { topkEncoderGraph } from '../../../sae/graphs.js';
import { createSession, ort } from '../../../ort.js';
import type { Arrays } from './layout.js';

/** Rows per run of an encoder graph: as few as keep the matrix product fast, so that pre-activations stay near the cores. */
export function chunkRows(latents: number, rows: number): number {
  return Math.min(rows, Math.max(512, Math.floor(2 ** 21 / latents)));
}

/**
 * The encoder as Gemm → TopK over chunks of the batch. Reads and writes the kernels' memory in place: nothing is copied.
 */
export class Encoder {
  readonly #session: ort.InferenceSession;
  readonly #calls: { feeds: ort.InferenceSession.FeedsType; fetches: ort.InferenceSession.FetchesType }[] = [];

  private constructor(session: ort.InferenceSession, arrays: Arrays, shape: StepShape) {
    this.#session = session;
    const { width: d, latents: n, batch, cap } = shape;
    const parameters = {
      encoder: new ort.Tensor('float32', arrays.encoder.w.view, [n, d]),
      encoder_bias: new ort.Tensor('float32', arrays.encoderBias.w.view, [n]),
    };
    const chunk = chunkRows(n, batch);
    for (let from = 0; from < batch; from += chunk) {
      const to = Math.min(batch, from + chunk);
      const part = <T extends Float32Array | Int32Array>(view: T, width: number) =>
        view.subarray(from * width, to * width) as T;
      this.#calls.push({
        feeds: { ...parameters, xc: new ort.Tensor('float32', part(arrays.xc.view, d), [to - from, d]) },
        fetches: {
          values: new ort.Tensor('float32', part(arrays.values.view, cap), [to - from, cap]),
          indices: new ort.Tensor('int32', part(arrays.indices.view, cap), [to - from, cap]),
        },
      });
    }
  }

  static async create(arrays: Arrays, shape: StepShape, threads: number): Promise<Encoder> {
    const session = await createSession(topkEncoderGraph(shape.width, shape.latents, shape.cap), threads);
    return new Encoder(session, arrays, shape);
  }

  /** Fills values and indices [B, cap] from x_c; `between` runs before each chunk. */
  async run(between: () => Promise<void>): Promise<void> {
    for (const { feeds, fetches } of this.#calls) {
      await between();
      await this.#session.run(feeds, fetches);
    }
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}
