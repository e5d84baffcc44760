import type { SaeConfig } from '../../shared/config.js';
import { dataDefaults } from '../../shared/defaults.js';
import type { ActivationFile } from '../activations/parquet-file.js';
import { chooseLayer } from '../activations/parquet-read.js';
import type { Control } from '../control.js';
import { dealHeldOut } from '../text/held-out.js';
import type { Amounts } from './amounts.js';
import type { RowSample } from './row-sample.js';

/** How long recorded activations are read, in milliseconds. */
const readMs = 500;

/** Counts the rows of recorded activations as an import would take them. */
export async function countRecorded(file: ActivationFile, config: SaeConfig, control: Control): Promise<Amounts> {
  const layer = await chooseLayer(file, config.layer_idx);
  const { held_out_fraction = dataDefaults.held_out_fraction, seed = dataDefaults.seed, max_samples } = config;
  const counted = (total: number, heldOut: number): Amounts => ({
    train: total - heldOut,
    heldOut,
    exact: true,
    textTokens: 0,
  });
  if (!file.has('sample_id')) {
    const total = Math.min(layer.rows, max_samples ?? Infinity);
    return counted(total, Math.min(total - 1, Math.round(total * held_out_fraction)));
  }
  const samples = new Map<number, number>();
  for (let rowGroup = 0; rowGroup < file.rowGroups; rowGroup++) {
    await control.breathe();
    const layers = layer.only === undefined ? undefined : await file.integers(rowGroup, 'layer_idx');
    for (const [row, sample] of (await file.integers(rowGroup, 'sample_id')).entries()) {
      if (layers && layers[row] !== layer.only) continue;
      const before = samples.get(sample);
      if (before === undefined && samples.size >= (max_samples ?? Infinity)) continue;
      samples.set(sample, (before ?? 0) + 1);
    }
  }
  const rows = [...samples.values()];
  const held = dealHeldOut(rows, held_out_fraction, seed);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return counted(sum(rows), sum(rows.filter((_, sample) => held[sample] === 1)));
}

/** Seconds per row of reading recorded activations; the rows read go to the sample. */
export async function measureReading(file: ActivationFile, sample: RowSample, control: Control): Promise<number> {
  const start = performance.now();
  let rows = 0;
  for (let rowGroup = 0; rowGroup < file.rowGroups; rowGroup++) {
    for await (const run of file.activations(rowGroup)) {
      sample.add(run.values, run.rows);
      rows += run.rows;
      await control.breathe();
      if (performance.now() - start >= readMs) return seconds(start) / rows;
    }
  }
  return seconds(start) / rows;
}

function seconds(start: number): number {
  return (performance.now() - start) / 1000;
}
