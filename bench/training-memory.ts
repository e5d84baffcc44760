import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeParquet, type RecordedRows } from '../src/engine/activations/parquet-write.js';
import { Random } from '../src/engine/random.js';
import { writeFileAtomic } from '../src/run/atomic.js';
import { runTask } from '../src/workbench/engine-process.js';
import type { StepShape } from './training-step.js';
import { normals } from './statistics.js';

const bufferRows = 2 ** 17;
const heldOut = 0.02;

/** Rows enough to fill the shuffle buffer, besides those held out. */
async function* recorded(width: number): AsyncGenerator<RecordedRows> {
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
export async function measureMemory(shape: StepShape): Promise<number> {
  const { width, latents, k, batch, threads } = shape;
  const dir = await mkdtemp(path.join(tmpdir(), 'iw-bench-'));
  try {
    const file = path.join(dir, 'activations.parquet');
    const format = { width, layer: 0, encoding: 'fixed' as const, textSnippets: false, metadata: {} };
    await writeFileAtomic(file, encodeParquet(recorded(width), format));
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
    const engine = runTask(
      { kind: 'train', config, runDir: path.join(dir, 'run'), resume: false },
      {},
      { enginePath: path.join(__dirname, '..', 'dist', 'engine.js') },
    );
    const outcome = await engine.result;
    if (outcome.status !== 'completed') throw new Error('the engine was cancelled');
    return outcome.result.peakRssBytes;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
