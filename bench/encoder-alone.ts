import { createSession, ort } from '../src/engine/ort.js';
import { topkEncoderGraph } from '../src/engine/sae/graphs.js';
import { time } from './statistics.js';
import type { StepShape } from './shapes.js';

const chunks = [256, 512, 1024, 2048, 4096];
const trials = 3;

interface Chunk {
  feeds: ort.InferenceSession.FeedsType;
  fetches: ort.InferenceSession.FetchesType;
}

/** What a step is compared with: the encoder's float Gemm → TopK over a batch and nothing else, outputs preallocated. */
export class EncoderAlone {
  readonly chunk: number;
  readonly #session: ort.InferenceSession;
  readonly #calls: readonly Chunk[];

  private constructor(session: ort.InferenceSession, calls: readonly Chunk[], chunk: number) {
    this.#session = session;
    this.#calls = calls;
    this.chunk = chunk;
  }

  /** With so many rows a call. */
  static async create(shape: StepShape, x: Float32Array, encoder: Float32Array, chunk: number): Promise<EncoderAlone> {
    const { width: d, latents: n, k, batch } = shape;
    const session = await createSession(topkEncoderGraph(d, n, k), shape.threads);
    const parameters = {
      encoder: new ort.Tensor('float32', encoder, [n, d]),
      encoder_bias: new ort.Tensor('float32', new Float32Array(n), [n]),
    };
    const calls = [];
    for (let from = 0; from < batch; from += chunk) {
      const rows = Math.min(chunk, batch - from);
      calls.push({
        feeds: { ...parameters, xc: new ort.Tensor('float32', x.subarray(from * d, (from + rows) * d), [rows, d]) },
        fetches: {
          values: new ort.Tensor('float32', new Float32Array(rows * k), [rows, k]),
          indices: new ort.Tensor('int32', new Int32Array(rows * k), [rows, k]),
        },
      });
    }
    return new EncoderAlone(session, calls, chunk);
  }

  /** With the number of rows a call that is fastest here. */
  static async fastest(shape: StepShape, x: Float32Array, encoder: Float32Array): Promise<EncoderAlone> {
    let best: { ms: number; alone: EncoderAlone } | undefined;
    for (const chunk of chunks.filter((rows) => rows <= shape.batch)) {
      const alone = await EncoderAlone.create(shape, x, encoder, chunk);
      const times = [];
      for (let i = 0; i < trials; i++) times.push(await alone.run());
      const ms = Math.min(...times.slice(1));
      if (!best || ms < best.ms) {
        await best?.alone.dispose();
        best = { ms, alone };
      } else {
        await alone.dispose();
      }
    }
    return best!.alone;
  }

  /** The whole batch once; milliseconds. */
  run(): Promise<number> {
    return time(async () => {
      for (const { feeds, fetches } of this.#calls) await this.#session.run(feeds, fetches);
    });
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}
