import { Random } from '../src/engine/random.js';
import { createSession, ort } from '../src/engine/ort.js';
import { topkEncoderGraph } from '../src/engine/sae/graphs.js';
import { CpuBackend } from '../src/engine/training/backends/cpu/cpu.js';
import type { CpuOptions } from '../src/engine/training/backends/cpu/options.js';
import { initialise } from '../src/engine/training/initialise.js';
import { median, normals, time } from './statistics.js';

export interface StepShape {
  width: number;
  latents: number;
  k: number;
  batch: number;
  threads: number;
}

const chunks = [256, 512, 1024, 2048, 4096];
const rounds = 7;

function options(shape: StepShape, deadAfterTokens: number): CpuOptions {
  const rest = { seed: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, auxCoef: 1 / 32, clipNorm: 1 };
  return { architecture: 'topk', preselection: 'int8', ...shape, ...rest, deadAfterTokens };
}

/** The encoder's Gemm+TopK alone over a batch, at a chunk size, outputs preallocated. */
class EncoderAlone {
  constructor(
    readonly session: ort.InferenceSession,
    readonly calls: { feeds: ort.InferenceSession.FeedsType; fetches: ort.InferenceSession.FetchesType }[],
  ) {}

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
    return new EncoderAlone(session, calls);
  }

  async run(): Promise<void> {
    for (const { feeds, fetches } of this.calls) await this.session.run(feeds, fetches);
  }
}

export interface StepTimes {
  /** Medians in milliseconds. */
  step: number;
  encoder: number;
  chunk: number;
  /** Median of the ratios of neighbouring measurements, with the least and the greatest. */
  ratio: number;
  ratios: [number, number];
  /** What AuxK adds to a step while `auxDead` latents are dead. */
  auxK: number;
  auxDead: number;
}

/** Times whole training steps (no latent dead, clipping exact) and the encoder alone, alternately. */
export async function measureStep(shape: StepShape): Promise<StepTimes> {
  const random = new Random(1, 'bench');
  const x = normals(shape.batch * shape.width, () => random.normal());
  const backend = await CpuBackend.create(options(shape, 2 ** 31));
  initialise(backend.weights, new Float32Array(shape.width), true, 0);
  backend.constants = { scale: 1, variance: shape.width };
  const step = () => {
    backend.input.set(x);
    return time(() => backend.step(1e-4, 0, () => Promise.resolve()));
  };
  const encoder = backend.weights.encoder.slice();
  let alone: EncoderAlone | undefined;
  let chunk = 0;
  let best = Infinity;
  for (const candidate of chunks.filter((rows) => rows <= shape.batch)) {
    const trial = await EncoderAlone.create(shape, x, encoder, candidate);
    const times = [];
    for (let i = 0; i < 4; i++) times.push(await time(() => trial.run()));
    const fastest = Math.min(...times.slice(1));
    if (fastest < best) [best, chunk, alone] = [fastest, candidate, trial];
  }
  for (let i = 0; i < 2; i++) await step();
  const pairs = [];
  for (let i = 0; i < rounds; i++) pairs.push({ encoder: await time(() => alone!.run()), step: await step() });
  await backend.dispose();
  const ratios = pairs.map((pair) => pair.step / pair.encoder);
  return {
    step: median(pairs.map((pair) => pair.step)),
    encoder: median(pairs.map((pair) => pair.encoder)),
    chunk,
    ratio: median(ratios),
    ratios: [Math.min(...ratios), Math.max(...ratios)],
    ...(await measureAuxK(shape, x)),
  };
}

/** The same steps with a thousand latents that never fire, with AuxK and without. */
async function measureAuxK(shape: StepShape, x: Float32Array): Promise<{ auxK: number; auxDead: number }> {
  const dead = Math.min(1000, shape.latents >> 2);
  const times: number[] = [];
  for (const auxCoef of [0, 1 / 32]) {
    const backend = await CpuBackend.create({ ...options(shape, 2 * shape.batch), auxCoef });
    initialise(backend.weights, new Float32Array(shape.width), true, 0);
    backend.weights.encoderBias.fill(-1e3, 0, dead);
    backend.constants = { scale: 1, variance: shape.width };
    const samples = [];
    for (let i = 0; i < 6; i++) {
      backend.input.set(x);
      samples.push(await time(() => backend.step(1e-7, 0, () => Promise.resolve())));
    }
    times.push(median(samples.slice(2)));
    await backend.dispose();
  }
  return { auxK: times[1]! - times[0]!, auxDead: dead };
}
