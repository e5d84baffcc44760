import type { CpuBackend } from '../src/engine/training/backends/cpu/cpu.js';
import { activationsFor, converged, step } from './converged.js';
import { EncoderAlone } from './encoder-alone.js';
import { milliseconds, ratio, type Part } from './part.js';
import { mainShape, named } from './shapes.js';
import { inTurns, ratioSpread, spread } from './statistics.js';

/** Rows of a call of the encoder alone: near the best everywhere. */
const chunk = 1024;

function same(a: Float32Array, b: Float32Array): boolean {
  return (
    Buffer.compare(
      Buffer.from(a.buffer, a.byteOffset, a.byteLength),
      Buffer.from(b.buffer, b.byteOffset, b.byteLength),
    ) === 0
  );
}

/** Whether two backends hold the same parameters, bit for bit. */
function sameWeights({ weights: a }: CpuBackend, { weights: b }: CpuBackend): boolean {
  return (
    same(a.encoder, b.encoder) &&
    same(a.decoder, b.decoder) &&
    same(a.encoderBias, b.encoderBias) &&
    same(a.decoderBias, b.decoderBias)
  );
}

/** A step with 1, 2 and all threads, and the encoder alone with as many, in turns. */
export const scaling: Part = {
  title: 'A step and the encoder alone with 1, 2 and all threads, in turns',
  async run({ smoke, threads }) {
    const shape = mainShape(smoke, threads);
    const counts = [...new Set([1, 2, threads])].filter((count) => count <= threads);
    const backends: CpuBackend[] = [];
    for (const count of counts) backends.push(await converged({ ...shape, threads: count }, 'int8'));
    const x = activationsFor(backends[0]!, shape);
    const encoder = new Float32Array(backends[0]!.weights.encoder);
    const encoders = [];
    for (const count of counts)
      encoders.push(await EncoderAlone.create({ ...shape, threads: count }, x, encoder, Math.min(chunk, shape.batch)));
    const times = await inTurns(
      [...backends.map((backend) => () => step(backend, x)), ...encoders.map((alone) => () => alone.run())],
      { rounds: smoke ? 2 : 5 },
    );
    const identical = backends.every((backend) => sameWeights(backend, backends[0]!));
    for (const part of [...backends, ...encoders]) await part.dispose();
    const measured = counts.map((count, i) => {
      const [steps, alone] = [times[i]!, times[counts.length + i]!];
      return {
        threads: count,
        step_ms: spread(steps),
        encoder_ms: spread(alone),
        step_speedup: ratioSpread(times[0]!, steps),
        encoder_speedup: ratioSpread(times[counts.length]!, alone),
      };
    });
    return {
      data: { shape, measured, identical },
      rows: [
        ...measured.slice(1).map(({ threads: count, step_speedup, encoder_speedup, step_ms }) => ({
          what: `a step on 1 thread / on ${count}`,
          measured: ratio(step_speedup),
          limit: `${count}; the encoder alone ${encoder_speedup.median.toFixed(2)}`,
          at: `${named(shape)}: ${milliseconds(measured[0]!.step_ms)}, ${milliseconds(step_ms)}`,
        })),
        {
          what: '  parameters after those steps, by any number of threads',
          measured: identical ? 'the same' : 'DIFFERENT',
          limit: 'the same',
          at: named(shape),
        },
      ],
    };
  },
};
