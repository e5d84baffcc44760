import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { test } from 'node:test';
import { shardPath } from '../../../src/engine/activations/shard.js';
import { ActivationStore } from '../../../src/engine/activations/store.js';
import { StoredSource } from '../../../src/engine/activations/stored-source.js';
import { appendGroups, numberOf, testGroups } from './rows.js';
import { temporaryFolder } from './temporary.js';

const width = 4;

async function storedRows(dtype: 'float32' | 'float16'): Promise<{ dir: string; store: ActivationStore }> {
  const dir = temporaryFolder();
  const writer = await ActivationStore.create(dir, { width, dtype, identity: 'rows' });
  await appendGroups(writer, testGroups(100), 64);
  await writer.finish((group) => group % 5 === 0);
  return { dir, store: await ActivationStore.open(dir) };
}

const numbersOf = (block: Float32Array) =>
  Array.from({ length: block.length / width }, (_, row) => numberOf(block.subarray(row * width, (row + 1) * width)));

test('any block can be asked for at any time, whichever is being read ahead', async () => {
  for (const dtype of ['float32', 'float16'] as const) {
    const { store } = await storedRows(dtype);
    const source = () => new StoredSource(store, { seed: 1, blockRows: 64 });
    const jumping = source();
    const last = jumping.blocksPerEpoch - 1;
    for (const [epoch, block] of [
      [0, 0],
      [0, 1],
      [0, 3],
      [0, 3],
      [1, 0],
      [0, last],
      [1, 0],
      [1, 1],
    ] as const) {
      const numbers = numbersOf(await jumping.readBlock(epoch, block));
      assert.equal(numbers.length, jumping.blockRows(epoch, block));
      assert.deepEqual(numbers, numbersOf(await source().readBlock(epoch, block)), `${dtype} ${epoch} ${block}`);
    }
    await store.close();
  }
});

test('a file that has become shorter is told by the block that needs it, not by the one before', async () => {
  const { dir, store } = await storedRows('float32');
  const source = new StoredSource(store, { seed: 1, blockRows: 64 });
  await source.readBlock(0, 0);
  truncateSync(shardPath(dir, 0), 0);
  await source.readBlock(0, 1).catch(() => undefined); // read ahead before or after the cut
  await assert.rejects(source.readBlock(0, 2), /has become shorter/);
  await store.close();
});
