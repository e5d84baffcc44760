import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowDecoder } from '../../../src/engine/activations/parquet-rows.js';
import type { Page } from '../../../src/engine/activations/parquet-values.js';
import { Random } from '../../../src/engine/random.js';
import { WorkbenchError } from '../../../src/shared/errors.js';

/** Lists of the widths given, cut into pages at the places given: old writers end a page wherever it is full. */
function pagesOf(widths: readonly number[], cuts: readonly number[]): Page[] {
  const levels = widths.flatMap((width) => Array.from({ length: width }, (_, i) => (i === 0 ? 0 : 1)));
  const bounds = [0, ...[...cuts].sort((a, b) => a - b), levels.length];
  return bounds.slice(1).map((end, i) => ({
    values: Float64Array.from({ length: end - bounds[i]! }, (_, at) => bounds[i]! + at),
    repetitionLevels: Uint8Array.from(levels.slice(bounds[i], end)),
    firstNull: -1,
  }));
}

function decodeAll(pages: readonly Page[], width: number): { values: number[]; end: number } {
  const decoder = new RowDecoder('file.parquet', 'list', width, 100);
  const values: number[] = [];
  for (const page of pages) {
    const run = decoder.decode(page);
    assert.equal(run.first, 100 + values.length / width);
    assert.equal(run.values.length, run.rows * width);
    values.push(...run.values);
  }
  return { values, end: decoder.end() };
}

const unequal = (sentence: RegExp) => (error: unknown) =>
  error instanceof WorkbenchError && error.problem.code === 'activations_unreadable' && sentence.test(error.message);

test('lists that go on across pages, wherever those are cut, become the same rows', () => {
  const random = new Random(1, 'cuts');
  const widths = new Array<number>(12).fill(5);
  for (let trial = 0; trial < 200; trial++) {
    const cuts = Array.from({ length: random.below(9) }, () => random.below(61));
    const { values, end } = decodeAll(pagesOf(widths, cuts), 5);
    assert.deepEqual(
      values,
      Array.from({ length: 60 }, (_, i) => i),
    );
    assert.equal(end, 112);
  }
});

test('a list that is too short or too long is found wherever pages are cut, with its row', () => {
  for (let cut = 0; cut <= 29; cut++) {
    const pages = (middle: number) => pagesOf([5, 5, middle, 5, 5, 5], [cut]);
    assert.throws(() => decodeAll(pages(4), 5), unequal(/5 values in row 0, but 4 in row 102\./));
    assert.throws(() => decodeAll(pages(6), 5), unequal(/5 values in row 0, but more in row 102\./));
  }
  assert.throws(() => decodeAll(pagesOf([5, 5, 3], [7]), 5), unequal(/but 3 in row 102\./));
});

test('a null inside a list that began on an earlier page is put down to its own row', () => {
  const [first, second] = pagesOf([5, 5, 5], [8]) as [Page, Page];
  const decoder = new RowDecoder('file.parquet', 'list', 5, 0);
  decoder.decode(first);
  assert.throws(() => decoder.decode({ ...second, firstNull: 1 }), unequal(/incomplete activation in row 1 /));
  const again = new RowDecoder('file.parquet', 'list', 5, 0);
  again.decode(first);
  assert.throws(() => again.decode({ ...second, firstNull: 3 }), unequal(/incomplete activation in row 2 /));
});
