import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ActivationFile } from '../../../src/engine/activations/parquet-file.js';
import { importActivations, type ImportOptions } from '../../../src/engine/activations/parquet-read.js';
import type { ActivationStore } from '../../../src/engine/activations/store.js';
import { Control } from '../../../src/engine/control.js';
import { WorkbenchError } from '../../../src/shared/errors.js';
import { temporaryFolder } from './temporary.js';

// Written by pyarrow: see make.py there.
const fixtures = join(__dirname, '../../fixtures/activations');
const fixture = (name: string) => join(fixtures, `${name}.parquet`);

const vector = (row: number, width: number) =>
  Array.from({ length: width }, (_, i) => (((31 * row + 7 * i) % 64) - 32) / 8);

async function allRows(path: string): Promise<number[][]> {
  const file = await ActivationFile.open(path);
  const rows: number[][] = [];
  try {
    for (let rowGroup = 0; rowGroup < file.rowGroups; rowGroup++) {
      for await (const run of file.activations(rowGroup)) {
        assert.equal(run.first, rows.length);
        for (let i = 0; i < run.rows; i++) rows.push([...run.values.subarray(i * file.width, (i + 1) * file.width)]);
      }
    }
  } finally {
    await file.close();
  }
  return rows;
}

function imported(name: string, options: Partial<ImportOptions> = {}): Promise<ActivationStore> {
  return importActivations({
    path: fixture(name),
    dir: temporaryFolder(),
    dtype: 'float32',
    heldOutFraction: 0.1,
    seed: 0,
    control: new Control(),
    onProgress: () => undefined,
    ...options,
  });
}

async function storedRows(store: ActivationStore, groups: Iterable<number>): Promise<number[][]> {
  const out = new Float32Array(512 * store.width);
  const rows: number[][] = [];
  for (const group of groups) {
    const count = await store.readGroup(group, out);
    for (let i = 0; i < count; i++) rows.push([...out.subarray(i * store.width, (i + 1) * store.width)]);
  }
  return rows;
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const problem = (pattern: RegExp) => (error: unknown) =>
  error instanceof WorkbenchError &&
  error.problem.code === 'activations_unreadable' &&
  error.problem.input &&
  pattern.test(error.message);

for (const [name, width] of [
  ['list-float-zstd-dictionary', 6],
  ['list-float-gzip-plain', 6],
  ['list-float-byte-stream-split', 6],
  ['list-double-snappy-v2', 6],
  ['large-list-double-none', 6],
  ['fixed-size-list-half-lz4', 6],
  ['fixed-bytes-brotli', 6],
  ['rows-across-pages', 40],
] as const) {
  test(`pyarrow's ${name} is read to the last value`, async () => {
    const rows = await allRows(fixture(name));
    assert.deepEqual(
      rows,
      range(60).map((row) => vector(row, width)),
    );
  });
}

test('vectors as bytes behind a dictionary are looked up', async () => {
  assert.deepEqual(
    await allRows(fixture('bytes-dictionary')),
    range(60).map((row) => vector(row % 4, 6)),
  );
});

for (const [name, sentence] of [
  ['bad-null', /empty or incomplete activation in row 17 /],
  ['bad-null-element', /empty or incomplete activation in row 17 /],
  ['bad-empty', /empty or incomplete activation in row 17 /],
  ['bad-short', /has 6 values in row 0, but 5 in row 17\./],
  ['bad-long', /has 6 values in row 0, but more in row 17\./],
  ['bad-nan', /the value NaN in row 17 /],
  ['bad-infinity', /the value Infinity in row 17 /],
  ['bad-text', /neither float32 bytes nor a list/],
  ['bad-nested', /neither float32 bytes nor a list/],
  ['bad-integers', /neither float32 bytes nor a list/],
  ['bad-no-rows', /holds no rows/],
  ['bad-no-activation', /no column activation, only hidden, label\./],
  ['bad-sample-names', /column sample_id of BYTE_ARRAY instead of INT32 or INT64/],
] as const) {
  test(`${name} is refused in one sentence, and no store is left`, async () => {
    const dir = temporaryFolder();
    await assert.rejects(imported(name, { dir }), problem(sentence));
    assert.deepEqual(readdirSync(dir), []);
  });
}

test('what is no Parquet file, or no file, is refused', async () => {
  const dir = temporaryFolder();
  const text = join(dir, 'text.parquet');
  writeFileSync(text, 'sample_id,activation\n1,0.5\n');
  await assert.rejects(ActivationFile.open(text), problem(/cannot be read as Parquet/));
  writeFileSync(text, '');
  await assert.rejects(ActivationFile.open(text), problem(/too short/));
  await assert.rejects(ActivationFile.open(join(dir, 'absent.parquet')), problem(/is not a file/));
  await assert.rejects(ActivationFile.open(dir), problem(/is not a file/));
});

test('a file cut short at any place is refused, never a crash', async () => {
  const path = join(temporaryFolder(), 'short.parquet');
  const bytes = readFileSync(fixture('list-float-zstd-dictionary'));
  for (let length = 0; length < bytes.length; length += 97) {
    writeFileSync(path, bytes.subarray(0, length));
    await assert.rejects(ActivationFile.open(path), problem(/cannot be read as Parquet/));
  }
});

test('broken bytes anywhere give other values or a refusal, never a crash', async () => {
  const path = join(temporaryFolder(), 'broken.parquet');
  for (const name of ['list-float-zstd-dictionary', 'list-double-snappy-v2', 'fixed-bytes-brotli']) {
    const bytes = readFileSync(fixture(name));
    for (let at = 0; at < bytes.length; at += 41) {
      const broken = Buffer.from(bytes);
      broken[at] = broken[at]! ^ (1 << (at % 8));
      writeFileSync(path, broken);
      try {
        await allRows(path);
      } catch (error) {
        assert.ok(problem(/./)(error), `byte ${at} of ${name}: ${String(error)}`);
      }
    }
  }
});

test('without samples rows keep their order and the last tenth is held out', async () => {
  const store = await imported('list-float-gzip-plain');
  assert.equal(store.rows, 60);
  assert.deepEqual(
    await storedRows(store, store.trainGroups),
    range(54).map((row) => vector(row, 6)),
  );
  assert.deepEqual(
    await storedRows(store, store.heldOutGroups),
    range(6).map((row) => vector(54 + row, 6)),
  );
  await store.close();
});

test('whole samples are held out, other ones with another seed', async () => {
  const heldOut = new Set<string>();
  for (let seed = 0; seed < 4; seed++) {
    const store = await imported('list-float-zstd-dictionary', { seed, heldOutFraction: 0.3 });
    const samplesOf = (groups: Uint32Array) => [...new Set([...groups].map((group) => store.group(group).sample))];
    const [train, held] = [samplesOf(store.trainGroups), samplesOf(store.heldOutGroups)];
    assert.deepEqual(
      [...train, ...held].sort((a, b) => a - b),
      range(9),
    );
    assert.ok(held.length >= 2 && held.length <= 3, `${held.length} of 9 samples are held out`);
    for (const group of [...store.trainGroups, ...store.heldOutGroups]) {
      const { sample, position, rows } = store.group(group);
      const expected = range(rows).map((i) => vector(7 * sample + position + i, 6));
      assert.deepEqual(await storedRows(store, [group]), expected);
    }
    heldOut.add(held.join());
    await store.close();
  }
  assert.ok(heldOut.size > 1);
});

test('one layer is taken out of several, and has to be named', async () => {
  const store = await imported('layers', { layer: 2, heldOutFraction: 0 });
  assert.deepEqual(
    await storedRows(store, range(store.groups)),
    range(20).map((i) => vector(3 * i + 1, 6)),
  );
  await store.close();
  await assert.rejects(imported('layers', { layer: 3 }), problem(/holds layers 0, 2, 4, not layer 3\./));
  await assert.rejects(imported('layers'), problem(/holds layers 0, 2, 4\./));
});

test('the first samples, or the first rows, can be taken alone', async () => {
  const samples = await imported('list-float-zstd-dictionary', { maxSamples: 2 });
  assert.equal(samples.rows, 14);
  assert.equal(samples.heldOutGroups.length, 1);
  const rows = await imported('list-float-gzip-plain', { maxSamples: 30 });
  assert.equal(rows.rows, 30);
  assert.deepEqual(
    await storedRows(rows, rows.heldOutGroups),
    range(3).map((row) => vector(27 + row, 6)),
  );
  await Promise.all([samples.close(), rows.close()]);
});

test('an import is taken as it is the second time, and done again for other options', async () => {
  const dir = temporaryFolder();
  let reads = 0;
  const onProgress = () => {
    reads++;
  };
  await (await imported('list-float-gzip-plain', { dir, onProgress })).close();
  const once = reads;
  await (await imported('list-float-gzip-plain', { dir, onProgress })).close();
  assert.equal(reads, once);
  const half = await imported('list-float-gzip-plain', { dir, onProgress, dtype: 'float16' });
  assert.ok(reads > once);
  assert.deepEqual((await storedRows(half, half.trainGroups))[0], vector(0, 6));
  await half.close();
});

test('activations that cannot fit on the disk are refused beforehand, with both numbers', async () => {
  const { checkDiskSpace, formatBytes } = await import('../../../src/engine/activations/disk-space.js');
  const dir = temporaryFolder();
  await checkDiskSpace(join(dir, 'not', 'there', 'yet'), 1);
  await assert.rejects(checkDiskSpace(dir, 1e18), (error: unknown) => {
    assert.ok(error instanceof WorkbenchError);
    assert.equal(error.problem.code, 'disk_full');
    assert.match(error.message, /need 1000 PB, but only [\d.]+ [kMGT]B are free/);
    return true;
  });
  assert.deepEqual([0, 999, 1000, 1_234_567, 5.36e11].map(formatBytes), [
    '0 bytes',
    '999 bytes',
    '1 kB',
    '1.23 MB',
    '536 GB',
  ]);
});
