import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { Random } from '../../../src/engine/random.js';
import { locateModel } from '../../../src/engine/model/files.js';
import { readGraph } from '../../../src/engine/model/graph.js';
import { findHooks, selectHook } from '../../../src/engine/model/hooks.js';
import { SplicedModel, TappedModel } from '../../../src/engine/model/session.js';
import { Gpt2Reference } from './gpt2-reference.js';

const folder = path.join(__dirname, '../../fixtures/tiny-sotu-gpt2');
const files = locateModel(folder);
const graph = readGraph(files.onnx);
const hooks = findHooks(graph);
const reference = new Gpt2Reference(folder);
const threads = 1;

/** Random token ids in rows of these lengths, filled up to the longest with an id that is no 0. */
function batch(lengths: number[], seed: number) {
  const random = new Random(seed, 'ids');
  const cols = Math.max(...lengths);
  const ids = new Int32Array(lengths.length * cols).fill(7);
  const rows = lengths.map((length, row) => {
    const own = Int32Array.from({ length }, () => random.below(512));
    ids.set(own, row * cols);
    return own;
  });
  return { ids, lengths: Int32Array.from(lengths), cols, rows };
}

/** Largest difference of a row of a batch from the reference, over the positions that are text. */
function difference(values: Float32Array, expected: Float64Array, row: number, cols: number, width: number): number {
  let most = 0;
  for (const [i, value] of expected.entries()) {
    most = Math.max(most, Math.abs(value - values[row * cols * width + i]!));
  }
  return most;
}

for (const [title, lengths] of [
  ['without padding', [20, 20]],
  ['with padding', [3, 24, 1, 11]],
] as const) {
  const { ids, lengths: counts, cols, rows } = batch([...lengths], 1);
  const expected = rows.map((row) => reference.run(row));
  for (const hook of hooks) {
    test(`${hook.name} agrees with the plain forward pass, ${title}`, async () => {
      const model = await TappedModel.open(files, hook, { threads, graph });
      const values = await model.run(ids, counts, cols);
      assert.equal(model.width, hook.width);
      assert.equal(values.length, counts.length * cols * model.width);
      for (const [row, own] of expected.entries()) {
        const off = difference(values, own.get(hook.name)!, row, cols, model.width);
        assert.ok(off <= 1e-4, `row ${row} is off by ${off}`);
      }
      await model.dispose();
    });
  }
}

test('results of a run stay as they are when the model runs again', async () => {
  const model = await TappedModel.open(files, selectHook(graph, { layer_idx: 1 }), { threads });
  const [a, b] = [batch([9, 9], 2), batch([9, 9], 3)];
  const first = await model.run(a.ids, a.lengths, a.cols);
  const copy = first.slice();
  const second = await model.run(b.ids, b.lengths, b.cols);
  assert.deepEqual(first, copy);
  assert.notDeepEqual(second, copy);
  assert.deepEqual(await model.run(a.ids, a.lengths, a.cols), copy);
  await model.dispose();
});

test('a model says how long its contexts may be and how many tokens it knows', async () => {
  const model = await TappedModel.open(files, selectHook(graph, { layer_idx: 0 }), { threads });
  assert.deepEqual([model.width, model.maxContext, model.vocabSize], [64, 128, 512]);
  await model.dispose();
});

const { ids, lengths, cols, rows } = batch([5, 17, 2, 1], 4);

for (const hook of hooks) {
  test(`${hook.name} spliced back unchanged gives the model's own loss`, async () => {
    const tapped = await TappedModel.open(files, hook, { threads, graph });
    const spliced = await SplicedModel.open(files, hook, { threads, graph });
    const nll = await spliced.nll(await tapped.run(ids, lengths, cols), ids, lengths, cols);
    for (const [row, own] of rows.entries()) {
      const expected = reference.crossEntropy(own);
      const got = [...nll.subarray(row * cols, (row + 1) * cols)];
      for (const [t, value] of expected.entries())
        assert.ok(Math.abs(got[t]! - value) < 1e-4, `row ${row}, position ${t}`);
      assert.ok(got.slice(expected.length).every((value) => value === 0));
    }
    await tapped.dispose();
    await spliced.dispose();
  });
}

test('what is spliced in replaces the stream for everything behind it', async () => {
  const hook = selectHook(graph, { hook_name: 'blocks.1.hook_resid_mid' });
  const spliced = await SplicedModel.open(files, hook, { threads, graph });
  const random = new Random(5, 'values');
  const values = Float32Array.from({ length: 4 * cols * 64 }, () => random.normal());
  const nll = await spliced.nll(values, ids, lengths, cols);
  for (const [row, own] of rows.entries()) {
    const replaced = Float64Array.from(values.subarray(row * cols * 64, (row * cols + own.length) * 64));
    for (const [t, value] of reference.crossEntropy(own, { hook: hook.name, values: replaced }).entries()) {
      assert.ok(Math.abs(nll[row * cols + t]! - value) < 1e-3);
    }
  }
  await spliced.dispose();
});
