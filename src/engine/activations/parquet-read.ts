import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Control } from '../control.js';
import { bytesNeeded, checkDiskSpace } from './disk-space.js';
import { unreadable } from './parquet-errors.js';
import { ActivationFile } from './parquet-file.js';
import { RowGrouping } from './row-grouping.js';
import type { StoreType } from './shard.js';
import { ActivationStore } from './store.js';

export interface ImportOptions {
  path: string;
  /** Where the store goes. */
  dir: string;
  dtype: StoreType;
  /** Keeps only the rows of this layer, where the file says which layer a row is from. */
  layer?: number | undefined;
  /** Keeps only the first so many samples; where the file names no samples, rows. */
  maxSamples?: number | undefined;
  heldOutFraction: number;
  seed: number;
  control: Control;
  /** Called with the rows of the file read so far. */
  onProgress: (progress: { rows: number; totalRows: number }) => void;
}

/**
 * Copies recorded activations from a Parquet file into a store, page by page. Rows of one sample at consecutive positions become a
 * group. Held out are whole samples, dealt as documents are; where the file names none, the last rows. A store in `dir` that holds
 * the same already is taken as it is, and a part of one is completed.
 *
 * @throws WorkbenchError `activations_unreadable`, with the row where there is one, or `disk_full` before anything is written.
 */
export async function importActivations(options: ImportOptions): Promise<ActivationStore> {
  const { dir, dtype, control, onProgress } = options;
  const file = await ActivationFile.open(options.path);
  try {
    const identity = await identify(options);
    const found = await ActivationStore.find(dir, identity);
    if (found) return found;
    const layer = await chooseLayer(file, options.layer);
    const totalRows = file.has('sample_id') ? layer.rows : Math.min(layer.rows, options.maxSamples ?? Infinity);
    const writer = await ActivationStore.create(dir, { width: file.width, dtype, identity });
    try {
      await checkDiskSpace(dir, bytesNeeded(totalRows - writer.rows, file.width, dtype));
      const grouping = new RowGrouping(writer, { ...options, totalRows });
      for (let rowGroup = 0; rowGroup < file.rowGroups && !grouping.complete; rowGroup++) {
        const column = (name: string) => (file.has(name) ? file.integers(rowGroup, name) : undefined);
        const layers = layer.only === undefined ? undefined : await column('layer_idx');
        const samples = await column('sample_id');
        const positions = await column('token_pos');
        const firstRow = file.firstRow(rowGroup);
        for await (const run of file.activations(rowGroup)) {
          await control.breathe();
          for (let i = 0; i < run.rows; i++) {
            const row = run.first - firstRow + i;
            if (layers && layers[row] !== layer.only) continue;
            const values = run.values.subarray(i * file.width, (i + 1) * file.width);
            await grouping.add(values, samples?.[row], positions?.[row]);
          }
          onProgress({ rows: run.first + run.rows, totalRows: file.rows });
        }
      }
      await grouping.finish();
    } finally {
      await writer.dispose();
    }
  } finally {
    await file.close();
  }
  return ActivationStore.open(dir);
}

async function identify(options: ImportOptions): Promise<string> {
  const { dtype, layer, maxSamples, heldOutFraction, seed } = options;
  const path = resolve(options.path);
  const { size, mtimeMs } = await stat(path);
  return JSON.stringify({ path, size, mtimeMs, dtype, layer, maxSamples, heldOutFraction, seed });
}

/** Which layer's rows to take, and how many those are. `only` is undefined where all rows are taken. */
export async function chooseLayer(
  file: ActivationFile,
  asked: number | undefined,
): Promise<{ only: number | undefined; rows: number }> {
  if (!file.has('layer_idx')) return { only: undefined, rows: file.rows };
  const counts = new Map<number, number>();
  for (let rowGroup = 0; rowGroup < file.rowGroups; rowGroup++) {
    for (const layer of await file.integers(rowGroup, 'layer_idx')) counts.set(layer, (counts.get(layer) ?? 0) + 1);
  }
  const layers = [...counts.keys()].sort((a, b) => a - b);
  const held = `holds layer${layers.length > 1 ? 's' : ''} ${layers.join(', ')}`;
  if (asked === undefined) {
    if (layers.length === 1) return { only: undefined, rows: file.rows };
    throw unreadable(file.path, held, 'Say with layer_idx which one to train on.');
  }
  const rows = counts.get(asked);
  if (rows === undefined)
    throw unreadable(file.path, `${held}, not layer ${asked}`, 'Set layer_idx to one of the file’s.');
  return { only: asked, rows };
}
