import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { WorkbenchError, type Problem } from '../../../src/shared/errors.js';
import { Random } from '../../../src/engine/random.js';
import { locateModel } from '../../../src/engine/model/files.js';
import { readGraph } from '../../../src/engine/model/graph.js';
import { findHooks, selectHook } from '../../../src/engine/model/hooks.js';
import { decodeModel, encodeModel } from '../../../src/engine/model/onnx.js';
import { TappedModel } from '../../../src/engine/model/session.js';
import { build } from './architectures.js';
import { temporaryFolder } from './temporary.js';
import { repeats } from '../../soak.js';

const folder = temporaryFolder();
const tiny = path.join(__dirname, '../../fixtures/tiny-sotu-gpt2');
const bytes = readFileSync(path.join(tiny, 'onnx/model.onnx'));
let files = 0;

function write(content: Uint8Array | string): string {
  const file = path.join(folder, `${files++}.onnx`);
  writeFileSync(file, content);
  return file;
}

function problem(run: () => unknown): Problem {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof WorkbenchError, `a bare ${String(error)}`);
    assert.ok(error.problem.input && !error.message.includes('\n') && error.problem.hint !== '');
    return error.problem;
  }
  return assert.fail('nothing was thrown');
}

test('a file cut off anywhere is refused in words', () => {
  const random = new Random(1, 'offsets');
  // The last bytes name the operator set: without the very last one everything else is there.
  const offsets = [
    0,
    1,
    2,
    7,
    bytes.length - 1,
    bytes.length - 5,
    ...Array.from({ length: 60 }, () => random.below(bytes.length)),
  ];
  for (const offset of offsets) {
    const { code } = problem(() => readGraph(write(bytes.subarray(0, offset))));
    assert.equal(code, 'model_unreadable', `cut at ${offset}`);
  }
});

test('a damaged file never ends in anything but a model or a problem in words', async () => {
  const random = new Random(2, 'damage');
  for (let round = 0; round < repeats(40, 20_000); round++) {
    const damaged = Buffer.from(bytes);
    // The graph's structure lies in the first and last kilobytes, its weights between.
    for (let i = 0; i < 4; i++)
      damaged[random.below(2) === 0 ? random.below(4000) : bytes.length - 1 - random.below(4000)] = random.below(256);
    const file = write(damaged);
    try {
      const graph = readGraph(file);
      const model = await TappedModel.open(locateModel(file), selectHook(graph, { layer_idx: 1 }), {
        threads: 1,
        graph,
      });
      await model.dispose();
    } catch (error) {
      assert.ok(error instanceof WorkbenchError, `round ${round}: a bare ${String((error as Error).stack)}`);
    }
  }
});

for (const [what, content] of [
  ['an empty file', ''],
  ['text', '<!DOCTYPE html><title>404</title>'],
  ['JSON', '{"model_type":"gpt2"}'],
  ['safetensors', readFileSync(path.join(tiny, 'model.safetensors')).subarray(0, 5000)],
  ['zeros', new Uint8Array(1000)],
] as const) {
  test(`${what} is not taken for a model`, () => {
    const { code, message } = problem(() => readGraph(write(content)));
    assert.equal(code, 'model_unreadable');
    assert.match(message, /not an ONNX model/);
  });
}

test('a Git LFS pointer is recognised', () => {
  const { code, hint } = problem(() =>
    readGraph(write('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n')),
  );
  assert.equal(code, 'model_unreadable');
  assert.match(hint, /git lfs pull/);
});

test('a file that is not there is said to be missing', () => {
  assert.equal(problem(() => readGraph(path.join(folder, 'none.onnx'))).code, 'model_not_found');
});

test('what ONNX Runtime refuses is told in its own first line', async () => {
  const model = decodeModel(bytes);
  model.graph!.node![10]!.opType = 'NoSuchOperator';
  const file = write(encodeModel(model));
  const hook = selectHook(readGraph(file), { hook_name: 'transformer.h.3.mlp.out' });
  await assert.rejects(TappedModel.open(locateModel(file), hook, { threads: 1 }), (error: WorkbenchError) => {
    assert.equal(error.problem.code, 'model_unreadable');
    assert.match(error.message, /NoSuchOperator/);
    assert.ok(!error.message.includes('\n'));
    return true;
  });
});

test('an input that is no language model’s is refused by name', async () => {
  const model = decodeModel(bytes);
  const image = { ...model.graph!.input![1]!, name: 'pixel_values' };
  model.graph!.input![1] = image;
  for (const node of model.graph!.node!) {
    node.input = node.input!.map((name) => (name === 'attention_mask' ? 'pixel_values' : name));
  }
  const file = write(encodeModel(model));
  const hook = selectHook(readGraph(file), { layer_idx: 0 });
  await assert.rejects(TappedModel.open(locateModel(file), hook, { threads: 1 }), /input "pixel_values"/);
});

test('a model of a fixed size is refused with that size', async () => {
  const model = decodeModel(bytes);
  model.graph!.input![0]!.type!.tensorType!.shape!.dim = [{ dimValue: 1 }, { dimValue: 128 }];
  const file = write(encodeModel(model));
  const hook = selectHook(readGraph(file), { layer_idx: 0 });
  await assert.rejects(TappedModel.open(locateModel(file), hook, { threads: 1 }), /fixed size 1 × 128/);
});

test('reading does not copy the weights', () => {
  const graph = readGraph(path.join(tiny, 'onnx/model.onnx'));
  const views = [...graph.initializers.values()].map(({ rawData }) => rawData!.buffer);
  assert.equal(new Set(views).size, 1);
});

test('graphs read whatever the nodes are called', () => {
  const { model } = build('llama', 3);
  const renamed = (model.graph!.node ?? []).map((node) => ({ ...node, name: '' }));
  const graph = readGraph(write(encodeModel({ ...model, graph: { ...model.graph, node: renamed } })));
  assert.equal(findHooks(graph).length, 1 + 3 * 6);
});

test('a folder is found to hold a model, wherever in it the ONNX file lies', () => {
  const home = path.join(folder, 'my-model');
  mkdirSync(path.join(home, 'onnx'), { recursive: true });
  writeFileSync(path.join(home, 'tokenizer.json'), '{}');
  assert.equal(problem(() => locateModel(home)).code, 'model_not_found');
  writeFileSync(path.join(home, 'onnx', 'anything.onnx'), bytes);
  const found = locateModel(home);
  assert.deepEqual(found, {
    name: 'my-model',
    folder: home,
    onnx: path.join(home, 'onnx', 'anything.onnx'),
    tokenizerJson: path.join(home, 'tokenizer.json'),
    tokenizerConfig: null,
    config: null,
  });
  assert.deepEqual(locateModel(found.onnx), found);
  writeFileSync(path.join(home, 'other.onnx'), bytes);
  assert.match(problem(() => locateModel(home)).message, /several .onnx files: onnx.anything.onnx, other.onnx/);
  writeFileSync(path.join(home, 'model.onnx'), bytes);
  assert.equal(locateModel(home).onnx, path.join(home, 'model.onnx'));
});

test('a model that is nowhere is said to be missing', () => {
  const { code, field } = problem(() => locateModel(path.join(folder, 'nowhere')));
  assert.deepEqual([code, field], ['model_not_found', 'model']);
});
