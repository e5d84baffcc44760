import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ActivationFile } from '../../src/engine/activations/parquet-file.js';
import { Random, randomUnitRows } from '../../src/engine/random.js';
import { runTask } from '../../src/workbench/engine-process.js';
import { enginePath } from '../demo.js';
import { structured } from '../structured.js';
import type { StepShape } from '../shapes.js';
import type { ContestantTask } from './protocol.js';

/** The part of a task that says where the data is. */
export type Data = Pick<ContestantTask, 'rows' | 'order' | 'held_out' | 'width'>;

const mostHeldOut = 2 ** 15;
/** Every so many documents one is held out. */
const heldOutEvery = 10;

/** A few batches of sums of features, to be used again and again. */
export async function structuredData(
  dir: string,
  { width, latents, k, batch }: StepShape,
  batches: number,
): Promise<Data> {
  const directions = new Float32Array(latents * width);
  randomUnitRows(directions, width, new Random(3, 'bench'));
  const rows = batches * batch;
  const x = structured(directions, { width, rows, active: 3 * k });
  const files = names(dir);
  await writeFile(files.rows, x);
  await writeFile(
    files.order,
    Uint32Array.from({ length: rows }, (_, row) => row),
  );
  await writeFile(files.held_out, x.subarray(0, Math.min(rows, 2048) * width));
  return { ...files, width };
}

/**
 * The demo model's activations of the bundled text as `iw extract` records them, in one order for everyone: each epoch its own
 * random one. Every tenth document is held out.
 */
export async function demoData(
  dir: string,
  { batch, steps, seed, maxSamples }: { batch: number; steps: number; seed: number; maxSamples: number | undefined },
): Promise<Data> {
  const parquet = path.join(dir, 'activations.parquet');
  const config = { layer_idx: 2, ...(maxSamples === undefined ? {} : { max_samples: maxSamples }) };
  const task = { kind: 'extract' as const, config, out: parquet, encoding: 'fixed' as const, textSnippets: false };
  await runTask(task, {}, { enginePath }).result;
  const files = names(dir);
  const { width, rows } = await split(parquet, files);
  await writeFile(files.order, epochs(rows, batch, steps, new Random(seed, 'order')));
  return { ...files, width };
}

const names = (dir: string) => ({
  rows: path.join(dir, 'rows.f32'),
  order: path.join(dir, 'order.u32'),
  held_out: path.join(dir, 'held-out.f32'),
});

/** Writes recorded rows to the two files; `rows` is how many there are to train on. */
async function split(parquet: string, to: Pick<Data, 'rows' | 'held_out'>): Promise<{ width: number; rows: number }> {
  const file = await ActivationFile.open(parquet);
  const [train, heldOut] = [await open(to.rows, 'w'), await open(to.held_out, 'w')];
  const { width } = file;
  let rows = 0;
  let held = 0;
  try {
    for (let group = 0; group < file.rowGroups; group++) {
      const documents = await file.integers(group, 'sample_id');
      const first = file.firstRow(group);
      for await (const run of file.activations(group)) {
        for (const [isHeld, from, to] of stretches(documents, run.first - first, run.rows)) {
          const values = run.values.subarray(from * width, to * width);
          if (!isHeld) rows += (await train.write(values), to - from);
          else if (held < mostHeldOut) held += (await heldOut.write(values), to - from);
        }
      }
    }
  } finally {
    await file.close();
    await train.close();
    await heldOut.close();
  }
  return { width, rows };
}

/** The stretches of a run's rows that are all held out, or all not. */
function* stretches(documents: Float64Array, first: number, rows: number): Generator<[boolean, number, number]> {
  const isHeld = (row: number) => documents[first + row]! % heldOutEvery === heldOutEvery - 1;
  for (let from = 0; from < rows;) {
    let to = from + 1;
    while (to < rows && isHeld(to) === isHeld(from)) to++;
    yield [isHeld(from), from, to];
    from = to;
  }
}

/** Rows for so many batches: whole batches of random orders of all rows, one after the other. */
function epochs(rows: number, batch: number, steps: number, random: Random): Uint32Array {
  const order = new Uint32Array(steps * batch);
  const perEpoch = Math.floor(rows / batch) * batch;
  if (perEpoch === 0) throw new Error(`${rows} rows make no batch of ${batch}`);
  const permutation = Uint32Array.from({ length: rows }, (_, row) => row);
  for (let filled = 0; filled < order.length; filled += perEpoch) {
    for (let i = rows - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [permutation[i], permutation[j]] = [permutation[j]!, permutation[i]!];
    }
    order.set(permutation.subarray(0, Math.min(perEpoch, order.length - filled)), filled);
  }
  return order;
}
