import path from 'node:path';
import { encodeParquet, type RecordedRows } from '../src/engine/activations/parquet-write.js';
import { Random } from '../src/engine/random.js';
import { writeFileAtomic } from '../src/run/atomic.js';
import { runTask } from '../src/workbench/engine-process.js';
import { enginePath, inFolder } from './demo.js';
import { memoryLimit, memoryRow } from './memory-limit.js';
import type { Part } from './part.js';
import { mainShape, named, type StepShape } from './shapes.js';
import { normals } from './statistics.js';

const heldOut = 0.02;

/** Rows enough to fill the shuffle buffer, besides those held out. */
async function* recorded(width: number, bufferRows: number): AsyncGenerator<RecordedRows> {
  const random = new Random(2, 'bench');
  const count = 4096;
  const values = normals(count * width, () => random.normal());
  const rows = Math.ceil(bufferRows / (1 - heldOut) / count + 1) * count;
  for (let first = 0; first < rows; first += count) {
    const numbers = Int32Array.from({ length: count }, (_, i) => first + i);
    yield {
      count,
      sampleId: numbers.map((row) => row >> 7),
      tokenPos: numbers.map((row) => row & 127),
      tokenId: new Int32Array(count),
      activation: values,
    };
    await Promise.resolve();
  }
}

/** Peak resident memory in bytes of the real engine training a few steps on recorded activations: no language model. */
function measurePeak(shape: StepShape, bufferRows: number): Promise<number> {
  const { width, latents, k, batch, threads } = shape;
  return inFolder(async (dir) => {
    const file = path.join(dir, 'activations.parquet');
    const format = { width, layer: 0, encoding: 'fixed' as const, textSnippets: false, metadata: {} };
    await writeFileAtomic(file, encodeParquet(recorded(width, bufferRows), format));
    const config = {
      activation_data_path: file,
      architecture: 'topk' as const,
      latent_dim: latents,
      k,
      batch_size: batch,
      max_tokens: 8 * batch,
      held_out_fraction: heldOut,
      evaluation_tokens: batch,
      feature_tokens: 0,
      shuffle_buffer_tokens: bufferRows,
      threads,
    };
    const engine = runTask({ kind: 'train', config, runDir: path.join(dir, 'run'), resume: false }, {}, { enginePath });
    const outcome = await engine.result;
    if (outcome.status !== 'completed') throw new Error('the engine was cancelled');
    return outcome.result.peakRssBytes;
  });
}

export const trainingMemory: Part = {
  title: 'Peak memory of the engine',
  async run({ smoke, threads }) {
    const shape = mainShape(smoke, threads);
    const bufferRows = smoke ? 2 ** 13 : 2 ** 17;
    const peak = await measurePeak(shape, bufferRows);
    const needs = { ...shape, bufferRows, model: 0 };
    return {
      data: { shape, buffer_rows: bufferRows, peak_rss_bytes: peak, limit_bytes: memoryLimit(needs) },
      rows: [memoryRow(peak, needs, `${named(shape)}, no language model, buffer of ${bufferRows} rows`)],
    };
  },
};
