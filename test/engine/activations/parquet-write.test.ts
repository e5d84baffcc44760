import assert from 'node:assert/strict';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { ActivationFile } from '../../../src/engine/activations/parquet-file.js';
import { encodeParquet, type RecordedRows } from '../../../src/engine/activations/parquet-write.js';
import { Random } from '../../../src/engine/random.js';
import { writeFileAtomic } from '../../../src/run/atomic.js';
import { temporaryFolder } from './temporary.js';

/** Rows in batches of changing size, as extraction gives them, out of one array that is used again and again. */
async function* batches(count: number, width: number, snippets: boolean): AsyncGenerator<RecordedRows> {
  const random = new Random(1, 'rows');
  const activation = new Float32Array(700 * width);
  for (let first = 0; first < count;) {
    const rows = Math.min(count - first, 1 + random.below(700));
    for (let i = 0; i < rows * width; i++) activation[i] = Math.fround(Math.sin((first * width + i) / 7));
    const column = (value: (row: number) => number) => Int32Array.from({ length: rows }, (_, i) => value(first + i));
    const texts = Array.from({ length: rows }, (_, i) => ` token ${first + i} “é”`);
    yield {
      count: rows,
      sampleId: column((row) => Math.floor(row / 100)),
      tokenPos: column((row) => row % 100),
      tokenId: column((row) => row % 50),
      activation,
      ...(snippets ? { textSnippet: texts } : {}),
    };
    first += rows;
    await Promise.resolve();
  }
}

async function written(count: number, width: number, encoding: 'fixed' | 'list', snippets = false): Promise<string> {
  const path = join(temporaryFolder(), 'activations.parquet');
  const metadata = { model: 'tiny', hook_name: 'blocks.1.hook_resid_post', d_in: String(width) };
  const shape = { width, layer: 3, encoding, textSnippets: snippets, metadata };
  await writeFileAtomic(path, encodeParquet(batches(count, width, snippets), shape));
  return path;
}

async function bytesOf(path: string): Promise<ArrayBuffer> {
  const bytes = await readFile(path);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

for (const encoding of ['fixed', 'list'] as const) {
  const [count, width] = [33_000, 128];
  const path = written(count, width, encoding);

  test(`what was written as ${encoding} is read back bit by bit, over several row groups`, async () => {
    const file = await ActivationFile.open(await path);
    assert.equal(file.rows, count);
    assert.equal(file.width, width);
    assert.ok(file.rowGroups >= 2);
    assert.deepEqual(file.metadata, { model: 'tiny', hook_name: 'blocks.1.hook_resid_post', d_in: '128' });
    let row = 0;
    for (let rowGroup = 0; rowGroup < file.rowGroups; rowGroup++) {
      const samples = await file.integers(rowGroup, 'sample_id');
      const positions = await file.integers(rowGroup, 'token_pos');
      const layers = await file.integers(rowGroup, 'layer_idx');
      const first = file.firstRow(rowGroup);
      for await (const run of file.activations(rowGroup)) {
        for (let i = 0; i < run.values.length; i++) {
          if (run.values[i] !== Math.fround(Math.sin((row * width + i) / 7)))
            assert.fail(`value ${i} after row ${row}`);
        }
        row += run.rows;
      }
      assert.ok(samples.every((sample, i) => sample === Math.floor((first + i) / 100)));
      assert.ok(positions.every((position, i) => position === (first + i) % 100));
      assert.ok(layers.every((layer) => layer === 3));
    }
    assert.equal(row, count);
    await file.close();
  });

  test(`a ${encoding} file is snappy in row groups of 8 to 64 MiB, as the contract says`, async () => {
    const { row_groups: groups, schema } = await parquetMetadataAsync(await bytesOf(await path));
    const activation = groups[0]!.columns.find((column) => column.meta_data!.path_in_schema[0] === 'activation')!;
    const bytes = Number(activation.meta_data!.total_uncompressed_size);
    assert.ok(bytes >= 2 ** 23 && bytes <= 2 ** 26, `${bytes} bytes`);
    assert.ok(groups.every((group) => group.columns.every((column) => column.meta_data!.codec === 'SNAPPY')));
    const types = Object.fromEntries(schema.map(({ name, type, type_length }) => [name, [type, type_length]]));
    for (const name of ['sample_id', 'token_pos', 'token_id', 'layer_idx']) {
      assert.deepEqual(types[name], ['INT32', undefined]);
    }
    if (encoding === 'fixed') assert.deepEqual(types.activation, ['FIXED_LEN_BYTE_ARRAY', 512]);
    else assert.deepEqual(types.element, ['FLOAT', undefined]);
  });
}

test('another reader sees the same columns, text snippets included', async () => {
  const path = await written(300, 4, 'list', true);
  const rows = await parquetReadObjects({ file: await bytesOf(path) });
  assert.equal(rows.length, 300);
  assert.deepEqual(rows[123], {
    sample_id: 1,
    token_pos: 23,
    token_id: 23,
    layer_idx: 3,
    activation: Array.from({ length: 4 }, (_, i) => Math.fround(Math.sin((123 * 4 + i) / 7))),
    text_snippet: ' token 123 “é”',
  });
});

test('a failure on the way leaves no file', async () => {
  const dir = temporaryFolder();
  const path = join(dir, 'activations.parquet');
  async function* failing(): AsyncGenerator<RecordedRows> {
    yield* batches(100, 4, false);
    throw new Error('the model broke');
  }
  const shape = { width: 4, layer: 0, encoding: 'fixed' as const, textSnippets: false, metadata: {} };
  await writeFile(path, 'before');
  await assert.rejects(writeFileAtomic(path, encodeParquet(failing(), shape)), /the model broke/);
  const handle = await open(path);
  assert.equal(await handle.readFile('utf8'), 'before');
  await handle.close();
});
