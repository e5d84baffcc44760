import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ContextExtractor, extractBatches, extractToStore } from '../../../src/engine/activations/extract.js';
import { roundThroughHalf } from '../../../src/engine/activations/half.js';
import { ShuffleBuffer } from '../../../src/engine/activations/shuffle-buffer.js';
import { ExtractingSource } from '../../../src/engine/activations/extracting-source.js';
import { StoredSource } from '../../../src/engine/activations/stored-source.js';
import { ActivationStore } from '../../../src/engine/activations/store.js';
import { Cancelled, Control } from '../../../src/engine/control.js';
import { locateModel } from '../../../src/engine/model/files.js';
import { readGraph } from '../../../src/engine/model/graph.js';
import { selectHook } from '../../../src/engine/model/hooks.js';
import { TappedModel } from '../../../src/engine/model/session.js';
import { loadTokenizer } from '../../../src/engine/model/tokenizer.js';
import { buildContexts, type Contexts } from '../../../src/engine/text/contexts.js';
import { documents, listTextFiles } from '../../../src/engine/text/documents.js';
import { temporaryFolder } from './temporary.js';

let model: TappedModel;
let contexts: Contexts;

before(async () => {
  const files = locateModel(join(__dirname, '../../fixtures/tiny-sotu-gpt2'));
  const graph = readGraph(files.onnx);
  model = await TappedModel.open(files, selectHook(graph, { layer_idx: 1 }), { threads: 1, graph });
  const dir = temporaryFolder();
  const text = join(dir, 'text.jsonl');
  const sentence = 'The state of our union is strong, and the work of our people goes on without end. ';
  const lines = Array.from({ length: 40 }, (_, i) => JSON.stringify({ text: sentence.repeat(1 + (i % 4)).slice(i) }));
  writeFileSync(text, lines.join('\n'));
  contexts = await buildContexts({
    documents: documents(listTextFiles([text])),
    tokenizer: loadTokenizer(files),
    contextSize: 48,
    prependBos: true,
    excludeFirstPosition: true,
    heldOutFraction: 0.2,
    seed: 1,
    dir,
    control: new Control(),
  });
});

after(async () => {
  contexts.close();
  await model.dispose();
});

/** A context's rows from a run of its own, without padding. */
async function alone(context: number): Promise<Float32Array[]> {
  const ids = contexts.ids(context);
  const hidden = await model.run(ids, Int32Array.of(ids.length), ids.length);
  const { width } = model;
  return [...contexts.rowPositions(context)].map((position) => hidden.slice(position * width, (position + 1) * width));
}

function assertNear(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of actual.entries()) {
    assert.ok(Math.abs(value - expected[i]!) < 1e-4, `value ${i} is ${value}, not ${expected[i]!}`);
  }
}

function store(dir: string, dtype: 'float32' | 'float16' = 'float32') {
  return ActivationStore.create(dir, { width: model.width, dtype, identity: 'tiny' }, 65536);
}

test('a batch gives the rows of each context as a run of it alone would, padding left out', async () => {
  const list = [0, 3, 1, contexts.count - 1, 7];
  assert.ok(new Set(list.map((context) => contexts.length(context))).size > 1, 'lengths differ');
  const expected: Float32Array[] = [];
  for (const context of list) expected.push(...(await alone(context)));
  const out = new Float32Array(expected.length * model.width);
  assert.equal(await new ContextExtractor(model, contexts).extract(list, out), expected.length);
  for (const [row, values] of expected.entries()) {
    assertNear(out.subarray(row * model.width, (row + 1) * model.width), values);
  }
});

test('batches cover the list in order, the last one shorter', async () => {
  const list = Uint32Array.from({ length: 11 }, (_, i) => 20 - i);
  const seen: number[] = [];
  for await (const { contexts: batch, count } of extractBatches(model, contexts, list, new Control(), 4)) {
    seen.push(...batch);
    assert.equal(
      count,
      batch.reduce((sum, context) => sum + contexts.rowCount(context), 0),
    );
  }
  assert.deepEqual(seen, [...list]);
});

test('a store holds every context, held-out ones marked, and goes on after a cancel to the same bytes', async () => {
  const [whole, resumed] = [temporaryFolder(), temporaryFolder()];
  const options = { model, contexts, batchContexts: 4 };
  const progress: number[] = [];
  await extractToStore({
    ...options,
    store: await store(whole),
    control: new Control(),
    onProgress: ({ contexts: done, totalContexts }) => progress.push(done / totalContexts),
  });
  assert.equal(progress.at(-1), 1);
  assert.ok(progress.every((done, i) => i === 0 || done > progress[i - 1]!));

  const control = new Control();
  const first = await store(resumed);
  const cancelHalfway = ({ contexts: done }: { contexts: number }) => {
    if (done > contexts.count / 2) control.cancel();
  };
  await assert.rejects(extractToStore({ ...options, store: first, control, onProgress: cancelHalfway }), Cancelled);
  await first.dispose();
  const second = await store(resumed);
  assert.ok(second.groups > 0, 'whole shards are kept');
  await extractToStore({ ...options, store: second, control: new Control(), onProgress: () => undefined });
  assert.deepEqual(readdirSync(resumed), readdirSync(whole));
  for (const name of readdirSync(whole)) {
    assert.deepEqual(readFileSync(join(resumed, name)), readFileSync(join(whole, name)), name);
  }

  const opened = await ActivationStore.open(whole);
  assert.deepEqual([...opened.heldOutGroups], [...contexts.heldOutContexts]);
  assert.ok(opened.heldOutGroups.length > 0);
  const out = new Float32Array(48 * model.width);
  const rows = await opened.readGroup(5, out);
  const expected = await alone(5);
  assert.equal(rows, expected.length);
  for (const [row, values] of expected.entries()) {
    assertNear(out.subarray(row * model.width, (row + 1) * model.width), values);
  }
  await opened.close();
});

test('cached and freshly extracted rows of an epoch are the same rows, through float16 too', async () => {
  for (const half of [false, true]) {
    const dir = temporaryFolder();
    const writer = await store(dir, half ? 'float16' : 'float32');
    await extractToStore({ model, contexts, store: writer, control: new Control(), onProgress: () => undefined });
    const opened = await ActivationStore.open(dir);
    const fresh = new ExtractingSource(model, contexts, { seed: 4, half });
    const cached = new StoredSource(opened, { seed: 4 });
    assert.equal(fresh.rowsPerEpoch, contexts.trainRows);
    assert.equal(cached.rowsPerEpoch, contexts.trainRows);
    assert.deepEqual(await sorted(fresh, 2), await sorted(cached, 2));
    await opened.close();
  }
});

/** First values of all rows of an epoch, to the third decimal and in order: batches differ, so last bits may. */
async function sorted(source: ExtractingSource | StoredSource, epoch: number): Promise<string[]> {
  const rows: string[] = [];
  for (let block = 0; block < source.blocksPerEpoch; block++) {
    const out = await source.readBlock(epoch, block);
    const count = out.length / source.width;
    assert.equal(count, source.blockRows(epoch, block));
    for (let row = 0; row < count; row++) {
      const values = out.slice(row * source.width, row * source.width + 4);
      rows.push([...values].map((value) => (Math.round(value * 50) / 50 + 0).toFixed(2)).join(' '));
    }
  }
  return rows.sort();
}

test('rows asked for in float16 hold only values that float16 has', async () => {
  const source = new ExtractingSource(model, contexts, { seed: 4, half: true });
  const values = await source.readBlock(0, 0);
  assert.deepEqual(roundThroughHalf(values.slice()), values);
});

test('a shuffle buffer over the model resumes bit by bit', async () => {
  const options = { capacity: 400, batchSize: 32, seed: 2 };
  const source = () => new ExtractingSource(model, contexts, { seed: 2, batchContexts: 4 });
  const draw = async (buffer: ShuffleBuffer): Promise<number[] | null> => {
    await buffer.fill(new Control());
    const sums: number[] = [];
    const { width } = model;
    const drawn = buffer.draw((row) => sums.push(...buffer.data.subarray(row * width, (row + 1) * width)));
    return drawn ? sums : null;
  };
  const buffer = new ShuffleBuffer(source(), options);
  for (let i = 0; i < 7; i++) await draw(buffer);
  const restored = new ShuffleBuffer(source(), options);
  await restored.restore(buffer.state(), new Control());
  let batches = 0;
  for (let expected = await draw(buffer); expected; expected = await draw(buffer)) {
    assert.deepEqual(await draw(restored), expected);
    batches++;
  }
  assert.equal(await draw(restored), null);
  assert.ok(batches > 5);
});
