import type { CpuBackend } from '../src/engine/training/backends/cpu/cpu.js';
import type { Preselection } from '../src/shared/config.js';
import { activationsFor, converged, step } from './converged.js';
import { EncoderAlone } from './encoder-alone.js';
import { measureHardware, type Hardware } from './hardware.js';
import { milliseconds, ratio, type Part, type Row } from './part.js';
import { measuredShapes, named, type MeasuredShape, type StepShape } from './shapes.js';
import { inTurns, ratioSpread, spread, type Spread } from './statistics.js';

export interface StepTimes {
  preselection: Preselection;
  /** Milliseconds. */
  step: Spread;
  /** Over the encoder's float product and TopK alone. */
  ratio: Spread;
  tokensPerSecond: number;
  /** Part of the winners that int8 candidates held; null where they were not used. */
  recall: number | null;
}

export interface ShapeResult {
  shape: StepShape;
  /** Milliseconds of the encoder's product and TopK alone, and the rows of a call that are fastest. */
  encoder: Spread;
  chunk: number;
  steps: StepTimes[];
}

/** Whole training steps (no latent dead, clipping exact) and the encoder alone, in turns. */
export async function measureSteps({ preselections, rounds, ...shape }: MeasuredShape): Promise<ShapeResult> {
  const backends: CpuBackend[] = [];
  for (const preselection of preselections) backends.push(await converged(shape, preselection));
  const x = activationsFor(backends[0]!, shape);
  const alone = await EncoderAlone.fastest(shape, x, new Float32Array(backends[0]!.weights.encoder));
  const steps = backends.map((backend) => () => step(backend, x));
  const [encoder = [], ...times] = await inTurns([() => alone.run(), ...steps], { rounds, warmUp: 2 });
  const result = {
    shape,
    encoder: spread(encoder),
    chunk: alone.chunk,
    steps: preselections.map((preselection, i) => ({
      preselection,
      step: spread(times[i]!),
      ratio: ratioSpread(times[i]!, encoder),
      tokensPerSecond: (1000 * shape.batch) / spread(times[i]!).median,
      recall: backends[i]!.recall,
    })),
  };
  for (const backend of backends) await backend.dispose();
  await alone.dispose();
  return result;
}

/** Milliseconds that the product, at this machine's best rate, and Adam's reading and writing must take. */
function floor({ width, latents, batch }: StepShape, preselection: Preselection, hardware: Hardware): number {
  const operations = 2 * batch * width * latents;
  const rate = preselection === 'int8' ? hardware.int8Gigaops : hardware.floatGigaops;
  const moved = 2 * 3 * 2 * 4 * width * latents; // two matrices, their two moments each, read and written
  return operations / rate / 1e6 + moved / hardware.gigabytesPerSecond / 1e6;
}

function rowsOf({ shape, encoder, chunk, steps }: ShapeResult, hardware: Hardware): Row[] {
  const gigaops = (2 * shape.batch * shape.width * shape.latents) / encoder.median / 1e6;
  const rows: Row[] = steps.map(({ preselection, step, ratio: overEncoder, recall }) => ({
    what: `training step / encoder's float product and TopK alone${preselection === 'none' ? ', no int8 candidates' : ''}`,
    measured: ratio(overEncoder),
    limit:
      preselection === 'int8'
        ? `hardware ${(floor(shape, preselection, hardware) / encoder.median).toFixed(2)}`
        : '1, being the encoder itself',
    at: `${named(shape)}: ${milliseconds(step)}${recall === null ? '' : `, recall ${(100 * recall).toFixed(2)} %`}`,
  }));
  rows.push({
    what: '  tokens/s',
    measured: steps.map(({ tokensPerSecond }) => tokensPerSecond.toFixed(0)).join(', '),
    limit: steps
      .map(({ preselection }) => ((1000 * shape.batch) / floor(shape, preselection, hardware)).toFixed(0))
      .join(', '),
    at: named(shape),
  });
  rows.push({
    what: '  encoder alone',
    measured: `${gigaops.toFixed(0)} GFLOP/s`,
    limit: `${hardware.floatGigaops.toFixed(0)} GFLOP/s`,
    at: `${named(shape)}: ${milliseconds(encoder)} in calls of ${chunk} rows`,
  });
  return rows;
}

export const trainingSteps: Part = {
  title: 'Training steps and the encoder alone, in turns',
  async run({ smoke, threads }) {
    const hardware = await measureHardware(threads, smoke);
    const shapes = [];
    for (const shape of measuredShapes(smoke, threads)) shapes.push(await measureSteps(shape));
    const rows = shapes.flatMap((shape) => rowsOf(shape, hardware));
    rows.push({
      what: 'the hardware, by ONNX Runtime',
      measured: `${hardware.floatGigaops.toFixed(0)} GFLOP/s, int8 ${hardware.int8Gigaops.toFixed(0)} GOP/s`,
      at: `best of several products; ${hardware.gigabytesPerSecond.toFixed(1)} GB/s adding long vectors`,
    });
    return { data: { hardware, shapes }, rows };
  },
};
