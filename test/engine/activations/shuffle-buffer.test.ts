import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Control, Cancelled } from '../../../src/engine/control.js';
import { ShuffleBuffer, type ShuffleState } from '../../../src/engine/activations/shuffle-buffer.js';
import { Random } from '../../../src/engine/random.js';
import { StoredSource } from '../../../src/engine/activations/stored-source.js';
import { ActivationStore } from '../../../src/engine/activations/store.js';
import { appendGroups, numberOf, testGroups } from './rows.js';
import { temporaryFolder } from './temporary.js';

const width = 4;

/** A store of numbered rows, of which every fifth group is held out. */
async function storedRows(groups: number): Promise<ActivationStore> {
  const dir = temporaryFolder();
  const writer = await ActivationStore.create(dir, { width, dtype: 'float32', identity: 'rows' });
  await appendGroups(writer, testGroups(groups), 64);
  await writer.finish((group) => group % 5 === 0);
  return ActivationStore.open(dir);
}

function sourceOf(store: ActivationStore, seed = 1): StoredSource {
  return new StoredSource(store, { seed, blockRows: 64 });
}

function trainRows(store: ActivationStore): number[] {
  return [...store.trainGroups].flatMap((group) => {
    const { position, rows } = store.group(group);
    return Array.from({ length: rows }, (_, row) => position + row);
  });
}

/** Numbers of the rows of the next batch, or null at the epoch's end. */
async function batch(buffer: ShuffleBuffer, control = new Control()): Promise<number[] | null> {
  await buffer.fill(control);
  const numbers: number[] = [];
  const drawn = buffer.draw((row, i) => {
    assert.equal(i, numbers.length);
    numbers.push(numberOf(buffer.data.subarray(row * width, (row + 1) * width)));
  });
  return drawn ? numbers : null;
}

async function epochOf(buffer: ShuffleBuffer, epoch: number): Promise<number[]> {
  buffer.startEpoch(epoch);
  const numbers: number[] = [];
  for (;;) {
    const next = await batch(buffer);
    if (!next) return numbers;
    numbers.push(...next);
  }
}

const ascending = (a: number, b: number) => a - b;

test('an epoch draws training rows only, none of them twice, and leaves less than a batch', async () => {
  const store = await storedRows(300);
  const expected = trainRows(store);
  for (const capacity of [1, 100, 500, 1e9]) {
    for (const batchSize of [1, 32, 300]) {
      const buffer = new ShuffleBuffer(sourceOf(store), { capacity, batchSize, seed: 1 });
      const numbers = await epochOf(buffer, 0);
      assert.equal(numbers.length, expected.length - (expected.length % batchSize));
      assert.equal(new Set(numbers).size, numbers.length);
      const known = new Set(expected);
      assert.ok(numbers.every((number) => known.has(number)));
    }
  }
  await store.close();
});

test('with batches of one row every training row of the epoch comes exactly once', async () => {
  const store = await storedRows(100);
  const buffer = new ShuffleBuffer(sourceOf(store), { capacity: 200, batchSize: 1, seed: 1 });
  assert.deepEqual((await epochOf(buffer, 3)).sort(ascending), trainRows(store));
  await store.close();
});

test('the same seed and epoch give the same batches, another seed or epoch gives others', async () => {
  const store = await storedRows(100);
  const epoch = (seed: number, number: number) =>
    epochOf(new ShuffleBuffer(sourceOf(store, seed), { capacity: 200, batchSize: 16, seed }), number);
  const first = await epoch(1, 0);
  assert.deepEqual(await epoch(1, 0), first);
  for (const other of [await epoch(2, 0), await epoch(1, 1)]) {
    assert.ok(other.filter((number, i) => number === first[i]).length < 20);
  }
  await store.close();
});

test('rows of one block are spread over the buffer, not drawn together', async () => {
  const store = await storedRows(1000);
  const buffer = new ShuffleBuffer(sourceOf(store), { capacity: 4000, batchSize: 16, seed: 1 });
  const numbers = await epochOf(buffer, 0);
  const place = new Map(numbers.map((number, at) => [number, at]));
  const distances = numbers.flatMap((number, at) => {
    const next = place.get(number + 1);
    return next === undefined ? [] : [Math.abs(next - at)];
  });
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
  assert.ok(mean > 1000, `neighbouring rows are ${mean} draws apart on average`);
  await store.close();
});

test('a batch and a block always fit: capacity grows to hold them, and never beyond an epoch', async () => {
  const store = await storedRows(300);
  const source = sourceOf(store);
  const capacity = (asked: number, batchSize: number) =>
    new ShuffleBuffer(source, { capacity: asked, batchSize, seed: 1 }).capacity;
  assert.equal(capacity(1, 200), 200 + source.maxBlockRows);
  assert.equal(capacity(900, 200), 900);
  assert.equal(capacity(1e9, 200), source.rowsPerEpoch);
  await store.close();
});

test('after the first fill the rows lie at the front of the data', async () => {
  const store = await storedRows(300);
  const buffer = new ShuffleBuffer(sourceOf(store), { capacity: 500, batchSize: 16, seed: 1 });
  await buffer.fill(new Control());
  assert.ok(buffer.rows > 400 && buffer.rows <= 500);
  const known = new Set(trainRows(store));
  for (let row = 0; row < buffer.rows; row++) {
    assert.ok(known.has(numberOf(buffer.data.subarray(row * width, (row + 1) * width))));
  }
  await store.close();
});

test('the buffer is filled again when half of it is used up, and not before', async () => {
  const store = await storedRows(1000);
  const buffer = new ShuffleBuffer(sourceOf(store), { capacity: 800, batchSize: 16, seed: 1 });
  await buffer.fill(new Control());
  let before = buffer.rows;
  for (let i = 0; i < 200; i++) {
    buffer.draw(() => undefined);
    const left = buffer.rows;
    assert.equal(left, before - 16);
    await buffer.fill(new Control());
    if (left > 400) assert.equal(buffer.rows, left);
    else assert.ok(buffer.rows > 800 - sourceOf(store).maxBlockRows);
    before = buffer.rows;
  }
  await store.close();
});

test('drawing without filling is an error, not the end of the epoch', async () => {
  const store = await storedRows(100);
  const buffer = new ShuffleBuffer(sourceOf(store), { capacity: 200, batchSize: 16, seed: 1 });
  assert.throws(() => buffer.draw(() => undefined), /without fill/);
  await store.close();
});

/** A snapshot as it comes back from a checkpoint: through JSON, but for the row numbers. */
function stored(state: ShuffleState): ShuffleState {
  const { rows, ...rest } = state;
  return { ...(JSON.parse(JSON.stringify(rest)) as Omit<ShuffleState, 'rows'>), rows: rows.slice() };
}

test('a buffer restored at any point of an epoch draws exactly the batches it would have drawn', async () => {
  const store = await storedRows(400);
  const options = { capacity: 600, batchSize: 32, seed: 9 };
  const random = new Random(5, 'test');
  for (const epoch of [0, 2]) {
    const reference = new ShuffleBuffer(sourceOf(store), options);
    const expected = await epochOf(reference, epoch);
    for (let trial = 0; trial < 12; trial++) {
      const interrupted = new ShuffleBuffer(sourceOf(store), options);
      interrupted.startEpoch(epoch);
      const batches = random.below(expected.length / 32);
      const numbers: number[] = [];
      for (let i = 0; i < batches; i++) numbers.push(...(await batch(interrupted))!);
      if (trial % 2 === 0) await interrupted.fill(new Control());
      const state = stored(interrupted.state());

      const resumed = new ShuffleBuffer(sourceOf(store), options);
      await resumed.restore(state, new Control());
      assert.equal(resumed.rows, state.rows.length);
      for (;;) {
        const next = await batch(resumed);
        if (!next) break;
        numbers.push(...next);
      }
      assert.deepEqual(numbers, expected, `resumed after ${batches} batches`);
    }
  }
  await store.close();
});

/** Cancels itself at the n-th breath. */
class CancellingControl extends Control {
  #breaths: number;

  constructor(breaths: number) {
    super();
    this.#breaths = breaths;
  }

  override async breathe(): Promise<void> {
    if (--this.#breaths < 0) this.cancel();
    await super.breathe();
  }
}

test('a fill that is interrupted goes on where it stopped, in this buffer and in a restored one', async () => {
  const store = await storedRows(400);
  const options = { capacity: 600, batchSize: 32, seed: 9 };
  const expected = await epochOf(new ShuffleBuffer(sourceOf(store), options), 0);
  for (let breaths = 0; breaths < 40; breaths++) {
    const buffer = new ShuffleBuffer(sourceOf(store), options);
    const control = new CancellingControl(breaths);
    const before: number[] = [];
    await assert.rejects(async () => {
      for (;;) before.push(...(await batch(buffer, control))!);
    }, Cancelled);
    const restored = new ShuffleBuffer(sourceOf(store), options);
    await restored.restore(stored(buffer.state()), new Control());
    for (const continued of [buffer, restored]) {
      const numbers = [...before];
      for (let next = await batch(continued); next; next = await batch(continued)) numbers.push(...next);
      assert.deepEqual(numbers, expected, `interrupted at breath ${breaths}`);
    }
  }
  await store.close();
});

test('taking a snapshot changes nothing', async () => {
  const store = await storedRows(100);
  const options = { capacity: 200, batchSize: 16, seed: 1 };
  const expected = await epochOf(new ShuffleBuffer(sourceOf(store), options), 0);
  const watched = new ShuffleBuffer(sourceOf(store), options);
  const numbers: number[] = [];
  for (let next = await batch(watched); next; next = await batch(watched)) {
    numbers.push(...next);
    watched.state();
  }
  assert.deepEqual(numbers, expected);
  await store.close();
});
