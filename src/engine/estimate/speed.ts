import type { ResolvedConfig } from '../../shared/config.js';
import { defaultBatchContexts, extractBatches } from '../activations/extract.js';
import { ShuffleBuffer } from '../activations/shuffle-buffer.js';
import type { Control } from '../control.js';
import type { TappedModel } from '../model/session.js';
import type { SaeWeights } from '../sae/weights.js';
import type { Contexts } from '../text/contexts.js';
import { CpuBackend } from '../training/backends/cpu/cpu.js';
import { cpuOptions } from '../training/backends/cpu/options.js';
import { initialise } from '../training/initialise.js';
import { train } from '../training/loop.js';
import { normalise } from '../training/normalisation.js';
import type { RowSample } from './row-sample.js';

/** How long each kind of work is tried, in seconds; one piece of it may take longer. */
const trial = 0.8;
/** Most random numbers drawn for a matrix of weights. */
const mostDrawn = 2 ** 20;
/** Rows of a first, small step, from which it is known whether a whole one can be tried. */
const smallBatch = 512;

const since = (start: number) => (performance.now() - start) / 1000;

/** The middle one, which a machine that is busy for a moment does not move. */
function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

/** Seconds per row of running the model; the rows computed go to the sample. */
export async function measureExtraction(
  model: TappedModel,
  contexts: Contexts,
  sample: RowSample,
  control: Control,
): Promise<number> {
  const list = spreadOver(contexts);
  const run = async (batch: number, seconds: number) => {
    const perRow: number[] = [];
    const begin = performance.now();
    let start = begin;
    for await (const { rows, count } of extractBatches(model, contexts, list, control, batch)) {
      perRow.push(since(start) / count);
      sample.add(rows, count);
      if (since(begin) >= seconds) break;
      start = performance.now();
    }
    // The first run of a size also prepares memory for it: it only counts where there is no other.
    return { perRow: median(perRow.length > 1 ? perRow.slice(1) : perRow), seconds: since(begin) };
  };
  const one = await run(1, 0);
  const batch = Math.min(defaultBatchContexts, Math.floor(trial / 2 / one.seconds));
  return batch > 1 ? (await run(batch, trial)).perRow : one.perRow;
}

/** Every context once, in an order that reaches over all of the text soon. */
function spreadOver({ count }: Contexts): Uint32Array {
  const stride = Math.max(1, Math.floor(count / 64));
  const order = Array.from({ length: stride }, (_, first) =>
    Array.from({ length: Math.ceil((count - first) / stride) }, (__, i) => first + i * stride),
  );
  return Uint32Array.from(order.flat());
}

/**
 * Seconds of a training step, by taking some with the real loop and backend on the sample. Where whole steps would take too
 * long, two small sizes of a batch tell the part of a step that grows with it.
 */
export async function measureStep(
  config: ResolvedConfig,
  sample: RowSample,
  threads: number,
  control: Control,
): Promise<number> {
  const whole = config.batch_size;
  const small = Math.min(smallBatch, whole);
  const one = await timeSteps(config, small, sample, threads, control, small === whole ? trial : trial / 4);
  if (small === whole) return one;
  if ((one * whole) / small <= trial) return timeSteps(config, whole, sample, threads, control, trial);
  const larger = Math.min(2 * small, whole);
  const two = await timeSteps(config, larger, sample, threads, control, trial / 4);
  const perRow = Math.max(0, two - one) / (larger - small);
  return two + perRow * (whole - larger);
}

/** A start of which only the first rows are drawn, and repeated: millions of random numbers would take longer than the steps. */
function initialiseQuickly(weights: SaeWeights, center: Float32Array, { tied_init, seed }: ResolvedConfig): void {
  const { encoder, decoder, width } = weights;
  const drawn = width * Math.min(weights.latents, Math.ceil(mostDrawn / width));
  const first = { ...weights, encoder: encoder.subarray(0, drawn), decoder: decoder.subarray(0, drawn) };
  initialise(first, center, tied_init, seed);
  for (const matrix of [encoder, decoder]) {
    for (let done = drawn; done < matrix.length; done *= 2) matrix.copyWithin(done, 0, done);
  }
}

/** Seconds of a step with `batch` rows. The first one only counts where there is no time for a second. */
async function timeSteps(
  given: ResolvedConfig,
  batch: number,
  sample: RowSample,
  threads: number,
  control: Control,
  seconds: number,
): Promise<number> {
  const config = { ...given, batch_size: batch };
  const backend = await CpuBackend.create(cpuOptions(config, sample.width, threads));
  try {
    const source = sample.source(4 * batch);
    const buffer = new ShuffleBuffer(source, { capacity: source.rowsPerEpoch, batchSize: batch, seed: config.seed });
    await buffer.fill(control);
    const between = () => control.breathe();
    const { scale, variance, center } = await normalise(
      buffer.data,
      Math.min(buffer.rows, 1024),
      sample.width,
      between,
    );
    backend.constants = { scale, variance };
    initialiseQuickly(backend.weights, center, config);
    const take = async (firstStep: number, totalSteps: number) => {
      const times: number[] = [];
      let start = performance.now();
      const onStep = () => {
        times.push(since(start));
        start = performance.now();
        return Promise.resolve();
      };
      const save = () => Promise.resolve();
      await train({ config, backend, buffer, control, firstStep, totalSteps, stepsPerEpoch: 4, onStep, save });
      return median(times);
    };
    const first = await take(0, 1);
    const more = Math.floor(seconds / first);
    return more > 0 ? await take(1, 1 + more) : first;
  } finally {
    await backend.dispose();
  }
}
