import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { WorkbenchError } from '../../../src/shared/errors.js';
import { locateModel } from '../../../src/engine/model/files.js';
import { readGraph } from '../../../src/engine/model/graph.js';
import { findHooks, selectHook } from '../../../src/engine/model/hooks.js';
import { encodeModel } from '../../../src/engine/model/onnx.js';
import { SplicedModel, TappedModel } from '../../../src/engine/model/session.js';
import { createSession, ort } from '../../../src/engine/ort.js';
import { build, styles, vocabulary, width } from './architectures.js';
import { temporaryFolder } from './temporary.js';

const folder = temporaryFolder();
const ids = Int32Array.of(1, 5, 3, 9, 10, 2, 4, 6, 0, 0);
const lengths = Int32Array.of(5, 3);
const cols = 5;

function write(name: string, bytes: Uint8Array) {
  const file = path.join(folder, `${name}.onnx`);
  writeFileSync(file, bytes);
  return { files: locateModel(file), graph: readGraph(file) };
}

/** The whole model's loss of each next token, from its own logits. */
async function ownLoss(bytes: Uint8Array): Promise<number[]> {
  const session = await createSession(bytes, 1);
  const mask = BigInt64Array.from(ids, (_, i) => (i % cols < lengths[Math.floor(i / cols)]! ? 1n : 0n));
  const { logits } = await session.run({
    input_ids: new ort.Tensor('int64', BigInt64Array.from(ids, BigInt), [2, cols]),
    attention_mask: new ort.Tensor('int64', mask, [2, cols]),
  });
  const values = logits!.data as Float32Array;
  return Array.from(ids, (_, at) => {
    if ((at % cols) + 1 >= lengths[Math.floor(at / cols)]!) return 0;
    const row = values.subarray(at * vocabulary, (at + 1) * vocabulary);
    return Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[ids[at + 1]!]!;
  });
}

for (const style of styles) {
  const { bytes, hooks: expected } = build(style);
  const { files, graph } = write(style, bytes);
  const hooks = findHooks(graph);

  test(`all hook points of a ${style} graph are found by its structure`, () => {
    assert.deepEqual(Object.fromEntries(hooks.map(({ name, tensor }) => [name, tensor])), expected);
    for (const hook of hooks) {
      assert.equal(
        hook.width,
        hook.name.endsWith('hook_post') && !hook.name.includes('resid') ? 4 * width : width,
        hook.name,
      );
      assert.equal(hook.layer, hook.name === 'hook_embed' ? null : Number(hook.name.split('.')[1]));
    }
  });

  if (style === 'float16') {
    test('activations of a float16 graph arrive as float32', async () => {
      const hook = selectHook(graph, { layer_idx: 1 });
      const model = await TappedModel.open(files, hook, { threads: 1, graph });
      const values = await model.run(ids, lengths, cols);
      assert.ok(values instanceof Float32Array && values.every(Number.isFinite) && values.some((value) => value !== 0));
      const spliced = await SplicedModel.open(files, hook, { threads: 1, graph });
      assert.ok((await spliced.nll(values, ids, lengths, cols))[0]! > 0);
      await model.dispose();
      await spliced.dispose();
    });
    continue;
  }

  test(`every hook point of a ${style} graph spliced back unchanged gives the model's own loss`, async () => {
    const own = await ownLoss(bytes);
    for (const hook of hooks) {
      const tapped = await TappedModel.open(files, hook, { threads: 1, graph });
      const spliced = await SplicedModel.open(files, hook, { threads: 1, graph });
      const values = await tapped.run(ids, lengths, cols);
      assert.equal(tapped.width, hook.width);
      const nll = await spliced.nll(values, ids, lengths, cols);
      for (const [at, loss] of own.entries()) assert.ok(Math.abs(nll[at]! - loss) < 1e-4, `${hook.name}, ${at}`);
      const changed = await spliced.nll(
        values.map((value) => -value),
        ids,
        lengths,
        cols,
      );
      assert.ok(Math.abs(changed[0]! - own[0]!) > 1e-3, `${hook.name} is not what the rest of the model reads`);
      await tapped.dispose();
      await spliced.dispose();
    }
  });
}

test('what a row is padded with never reaches its text, not even where attention looks ahead', async () => {
  const { files, graph } = write('padding', build('bert').bytes);
  const model = await TappedModel.open(files, selectHook(graph, { layer_idx: 2 }), { threads: 1, graph });
  const padded = await model.run(ids, lengths, cols);
  const alone = await model.run(ids.slice(cols, cols + 3), Int32Array.of(3), 3);
  for (const [i, value] of alone.entries()) assert.ok(Math.abs(padded[cols * width + i]! - value) < 1e-5);
  await model.dispose();
});

const tiny = readGraph(path.join(__dirname, '../../fixtures/tiny-sotu-gpt2/onnx/model.onnx'));

function problem(run: () => unknown) {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof WorkbenchError);
    return error.problem;
  }
  return assert.fail('nothing was thrown');
}

test('a layer stands for the residual stream behind it', () => {
  assert.equal(selectHook(tiny, { layer_idx: 2 }).name, 'blocks.2.hook_resid_post');
});

test('a tensor of the graph can be named itself', () => {
  const hook = selectHook(tiny, { hook_name: 'transformer.h.1.ln_2.out' });
  assert.deepEqual(hook, { name: hook.tensor, tensor: 'transformer.h.1.ln_2.out', layer: null, width: 64 });
});

test('a layer that is not there is refused with the layers there are', () => {
  const { code, message, hint, field } = problem(() => selectHook(tiny, { layer_idx: 4 }));
  assert.deepEqual([code, field], ['hook_not_found', 'layer_idx']);
  assert.match(message, /no layer 4.*0 to 3/);
  assert.match(hint, /0 to 3/);
});

test('a misspelt hook point is refused with the nearest names', () => {
  const { code, hint } = problem(() => selectHook(tiny, { hook_name: 'blocks.2.hook_residpost' }));
  assert.equal(code, 'hook_not_found');
  assert.match(hint, /blocks\.2\.hook_resid_post/);
  assert.match(
    problem(() => selectHook(tiny, { hook_name: 'transformer.h.1.resid_pst' })).hint,
    /transformer\.h\.1\.resid_post/,
  );
});

test('weights and tensors of whole numbers are no hook points', () => {
  for (const name of ['transformer.wte.weight', 'pos', 'shape']) {
    assert.equal(problem(() => selectHook(tiny, { hook_name: name })).code, 'hook_not_found');
  }
});

test('a tensor that is not [batch, sequence, width] is refused with its shape', async () => {
  const files = locateModel(path.join(__dirname, '../../fixtures/tiny-sotu-gpt2'));
  const hook = selectHook(tiny, { hook_name: 'transformer.h.1.attn.weights' });
  await assert.rejects(TappedModel.open(files, hook, { threads: 1 }), (error: WorkbenchError) => {
    assert.equal(error.problem.code, 'hook_not_found');
    assert.match(error.message, /\[2, 4, 3, 3\]/);
    return true;
  });
});

test('a graph without a residual stream says so', () => {
  const { model } = build('llama');
  const sums = new Set(['Add']);
  const node = (model.graph!.node ?? []).map((each) => (sums.has(each.opType) ? { ...each, opType: 'Sub' } : each));

  const { graph } = write('no-stream', encodeModel({ ...model, graph: { ...model.graph, node } }));
  assert.deepEqual(findHooks(graph), []);
  assert.match(problem(() => selectHook(graph, { layer_idx: 0 })).message, /No residual stream/);
});
