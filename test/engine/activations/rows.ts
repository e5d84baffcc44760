import type { Group } from '../../../src/engine/activations/shard.js';
import type { StoreWriter } from '../../../src/engine/activations/store-writer.js';

/** A row that tells which one it is: exact in float32 and float16 for numbers below 2²². */
export function rowOf(number: number, width: number): Float32Array {
  const row = new Float32Array(width).fill(-1);
  row[0] = number % 2048;
  row[1] = Math.floor(number / 2048);
  return row;
}

/** The number of a row made by `rowOf`. */
export function numberOf(row: Float32Array): number {
  return row[0]! + 2048 * row[1]!;
}

/** Rows numbered from `first` on, one after the other. */
export function numberedRows(first: number, count: number, width: number): Float32Array {
  const rows = new Float32Array(count * width);
  for (let i = 0; i < count; i++) rows.set(rowOf(first + i, width), i * width);
  return rows;
}

/** Groups of a store for tests: sizes vary, and the position tells the first row's number. */
export function testGroups(count: number): Group[] {
  let position = 0;
  return Array.from({ length: count }, (_, sample) => {
    const group = { rows: 3 + ((sample * 7) % 11), sample, position };
    position += group.rows;
    return group;
  });
}

/** Appends groups of `testGroups` with their numbered rows, `batch` at a time, from where the writer stands. */
export async function appendGroups(writer: StoreWriter, groups: readonly Group[], batch: number): Promise<void> {
  while (writer.groups < groups.length) {
    const some = groups.slice(writer.groups, writer.groups + batch);
    const rows = some.reduce((sum, group) => sum + group.rows, 0);
    await writer.append(numberedRows(some[0]!.position, rows, writer.width), some);
  }
}
