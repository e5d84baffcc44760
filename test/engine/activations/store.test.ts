import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ActivationStore } from '../../../src/engine/activations/store.js';
import { shardLimit, shardPath, type StoreShape } from '../../../src/engine/activations/shard.js';
import { WorkbenchError } from '../../../src/shared/errors.js';
import { appendGroups, numberedRows, testGroups } from './rows.js';
import { temporaryFolder } from './temporary.js';

const shape: StoreShape = { width: 8, dtype: 'float32', identity: 'test' };
const heldOut = (group: number) => group % 5 === 2;

async function filled(dir: string, count = 200, kind: Partial<StoreShape> = {}): Promise<ActivationStore> {
  const writer = await ActivationStore.create(dir, { ...shape, ...kind }, 4096);
  await appendGroups(writer, testGroups(count), 4);
  await writer.finish(heldOut);
  return ActivationStore.open(dir);
}

async function readAll(store: ActivationStore): Promise<number[]> {
  const values: number[] = [];
  const out = new Float32Array(20 * store.width);
  for (let group = 0; group < store.groups; group++) {
    const rows = await store.readGroup(group, out);
    values.push(...out.subarray(0, rows * store.width));
  }
  return values;
}

function bytesOf(dir: string): Record<string, Buffer> {
  return Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name))]));
}

const code = (expected: string) => (error: unknown) =>
  error instanceof WorkbenchError && error.problem.code === expected;

for (const dtype of ['float32', 'float16'] as const) {
  test(`every group comes back as it went in, in any order, as ${dtype}`, async () => {
    const dir = temporaryFolder();
    const store = await filled(dir, 200, { dtype });
    const groups = testGroups(200);
    assert.ok(readdirSync(dir).length > 5, 'there are several shards');
    assert.equal(store.groups, 200);
    assert.equal(store.rows, groups.at(-1)!.position + groups.at(-1)!.rows);
    const out = new Float32Array(20 * 8);
    for (const at of [199, 0, 57, 56, 120, 3]) {
      assert.equal(await store.readGroup(at, out), groups[at]!.rows);
      assert.deepEqual(out.subarray(0, groups[at]!.rows * 8), numberedRows(groups[at]!.position, groups[at]!.rows, 8));
      assert.deepEqual(store.group(at), groups[at]);
      assert.equal(store.rowCount(at), groups[at]!.rows);
    }
    assert.deepEqual([...store.heldOutGroups], groups.map((group) => group.sample).filter(heldOut));
    assert.equal(store.trainGroups.length + store.heldOutGroups.length, 200);
    await store.close();
  });
}

test('an abandoned store is no store, and goes on after its last whole shard to the same bytes', async () => {
  const [dir, whole] = [temporaryFolder(), temporaryFolder()];
  await (await filled(whole)).close();
  const elsewhere = temporaryFolder();
  const abandoned = await ActivationStore.create(elsewhere, shape, 4096);
  await appendGroups(abandoned, testGroups(103), 4);
  cpSync(elsewhere, dir, { recursive: true });
  await abandoned.dispose();
  await assert.rejects(ActivationStore.open(dir), code('run_unreadable'));
  assert.equal(await ActivationStore.find(dir, 'test'), null);

  const writer = await ActivationStore.create(dir, shape, 4096);
  assert.ok(writer.groups > 0 && writer.groups < 103, `${writer.groups} groups are kept`);
  assert.equal(writer.groups % 4, 0, 'it goes on between two appends');
  await appendGroups(writer, testGroups(200), 4);
  await writer.finish(heldOut);
  assert.deepEqual(bytesOf(dir), bytesOf(whole));
});

test('a process killed while it writes leaves whole shards only, and the rest is written again', async () => {
  const dir = temporaryFolder();
  const program = join(__dirname, 'store-writing-process.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    said = Number(chunk.toString().trim().split('\n').at(-1));
    if (said >= 1500) child.kill('SIGKILL');
  }
  if (child.signalCode === null) await once(child, 'exit');
  assert.equal(child.signalCode, 'SIGKILL');

  const writer = await ActivationStore.create(dir, { width: 64, dtype: 'float32', identity: 'killed' }, 65536);
  assert.ok(writer.groups > 0 && writer.groups < 4000, `${writer.groups} of ${said} groups are kept`);
  const groups = testGroups(4000);
  await appendGroups(writer, groups, 8);
  await writer.finish(() => false);
  const store = await ActivationStore.open(dir);
  const out = new Float32Array(20 * 64);
  for (const [at, group] of groups.entries()) {
    const rows = await store.readGroup(at, out);
    assert.deepEqual(out.subarray(0, rows * 64), numberedRows(group.position, group.rows, 64));
  }
  await store.close();
});

test('shards of other data, of another width or of another type are not mixed in', async () => {
  for (const other of [{ identity: 'other' }, { width: 16 }, { dtype: 'float16' }] as const) {
    const dir = temporaryFolder();
    await (await filled(dir)).close();
    assert.equal(await ActivationStore.find(dir, 'other'), null);
    const writer = await ActivationStore.create(dir, { ...shape, ...other }, 4096);
    assert.equal(writer.groups, 0);
    assert.deepEqual(readdirSync(dir), []);
  }
});

test('a complete store is found again under its identity', async () => {
  const dir = temporaryFolder();
  const store = await filled(dir);
  const found = await ActivationStore.find(dir, 'test');
  assert.deepEqual(await readAll(found!), await readAll(store));
  await Promise.all([store.close(), found!.close()]);
});

test('a shard cut short at any place is seen at opening', async () => {
  const dir = temporaryFolder();
  await (await filled(dir, 40)).close();
  const path = shardPath(dir, 0);
  const { size } = statSync(path);
  for (const length of [size - 1, size - 8, size - 13, size - 60, Math.floor(size / 2), 11, 0]) {
    truncateSync(path, length);
    await assert.rejects(ActivationStore.open(dir), code('run_unreadable'));
    const writer = await ActivationStore.create(join(dir, 'copy'), shape);
    assert.equal(writer.groups, 0);
  }
});

test('bytes that only look like a shard are refused', async () => {
  const dir = temporaryFolder();
  await (await filled(dir, 40)).close();
  const path = shardPath(dir, 0);
  const bytes = readFileSync(path);
  const length = bytes.readUInt32LE(bytes.length - 12);
  bytes.fill('x', bytes.length - 12 - length, bytes.length - 12);
  writeFileSync(path, bytes);
  await assert.rejects(ActivationStore.open(dir), code('run_unreadable'));
});

test('dispose leaves whole shards only', async () => {
  const dir = temporaryFolder();
  const writer = await ActivationStore.create(dir, shape, 4096);
  await appendGroups(writer, testGroups(50), 4);
  await writer.dispose();
  assert.ok(readdirSync(dir).every((name) => /^activations-\d{5}\.bin$/.test(name)));
});

test('an empty store and one that is held out altogether can be opened', async () => {
  const dir = temporaryFolder();
  const writer = await ActivationStore.create(dir, shape);
  await writer.finish(heldOut);
  const store = await ActivationStore.open(dir);
  assert.equal(store.groups, 0);
  await store.close();
});

test('too small a target is refused, and a group that does not exist', async () => {
  const store = await filled(temporaryFolder(), 10);
  await assert.rejects(store.readGroup(0, new Float32Array(8)), RangeError);
  await assert.rejects(store.readGroup(10, new Float32Array(800)), RangeError);
  await store.close();
});

test('a terabyte of activations is a few hundred files', () => {
  let bytes = 0;
  let shards = 0;
  while (bytes < 1e12) bytes += shardLimit(shards++, 2 ** 26);
  assert.ok(shards < 600, `${shards} shards`);
});
