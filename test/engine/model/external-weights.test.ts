import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { WorkbenchError } from '../../../src/shared/errors.js';
import { locateModel } from '../../../src/engine/model/files.js';
import { readGraph } from '../../../src/engine/model/graph.js';
import { selectHook } from '../../../src/engine/model/hooks.js';
import { decodeModel, encodeModel, type TensorProto } from '../../../src/engine/model/onnx.js';
import { SplicedModel, TappedModel } from '../../../src/engine/model/session.js';
import { temporaryFolder } from './temporary.js';

const tiny = path.join(__dirname, '../../fixtures/tiny-sotu-gpt2');
const folder = temporaryFolder();
const ids = Int32Array.of(0, 40, 41, 42, 0, 50, 60, 7);
const lengths = Int32Array.of(4, 3);

/** The tiny model with every large weight in `model.onnx_data`. */
function withExternalWeights(home: string, location = 'model.onnx_data') {
  mkdirSync(home, { recursive: true });
  const model = decodeModel(readFileSync(path.join(tiny, 'onnx/model.onnx')));
  const pieces: Uint8Array[] = [];
  let offset = 0;
  const move = (tensor: TensorProto): TensorProto => {
    const { rawData, ...rest } = tensor;
    if (!rawData || rawData.length < 1000) return tensor;
    pieces.push(rawData);
    const entries = { location, offset: String(offset), length: String(rawData.length) };
    offset += rawData.length;
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    return { name: tensor.name!, ...rest, dataLocation: 1, externalData };
  };
  model.graph!.initializer = model.graph!.initializer!.map(move);
  writeFileSync(path.join(home, 'model.onnx'), encodeModel(model));
  return { home, weights: Buffer.concat(pieces) };
}

async function activationsAndLoss(home: string): Promise<[Float32Array, Float32Array]> {
  const files = locateModel(home);
  const hook = selectHook(readGraph(files.onnx), { layer_idx: 1 });
  const tapped = await TappedModel.open(files, hook, { threads: 1 });
  const spliced = await SplicedModel.open(files, hook, { threads: 1 });
  const values = await tapped.run(ids, lengths, 4);
  const nll = await spliced.nll(values, ids, lengths, 4);
  await tapped.dispose();
  await spliced.dispose();
  return [values, nll];
}

test('weights in a file of their own give the same activations and leave nothing behind', async () => {
  const { home, weights } = withExternalWeights(path.join(folder, 'plain'));
  writeFileSync(path.join(home, 'model.onnx_data'), weights);
  assert.deepEqual(await activationsAndLoss(home), await activationsAndLoss(tiny));
  assert.deepEqual(readdirSync(home).sort(), ['model.onnx', 'model.onnx_data']);
});

test(
  'weights that are symbolic links, as in Hugging Face’s cache, work too',
  { skip: process.platform === 'win32' },
  async () => {
    const { home, weights } = withExternalWeights(path.join(folder, 'snapshot'));
    writeFileSync(path.join(folder, 'blob'), weights);
    symlinkSync(path.join(folder, 'blob'), path.join(home, 'model.onnx_data'));
    assert.deepEqual(await activationsAndLoss(home), await activationsAndLoss(tiny));
    assert.deepEqual(readdirSync(home).sort(), ['model.onnx', 'model.onnx_data']);
  },
);

test('missing weights are named', async () => {
  const { home } = withExternalWeights(path.join(folder, 'missing'));
  await assert.rejects(activationsAndLoss(home), (error: WorkbenchError) => {
    assert.equal(error.problem.code, 'model_unreadable');
    assert.match(error.message, /model\.onnx_data, which are not there/);
    return true;
  });
});

test('weights cut short are refused', async () => {
  const { home, weights } = withExternalWeights(path.join(folder, 'short'));
  writeFileSync(path.join(home, 'model.onnx_data'), weights.subarray(0, 5000));
  await assert.rejects(activationsAndLoss(home), (error: WorkbenchError) => error.problem.code === 'model_unreadable');
  assert.deepEqual(readdirSync(home).sort(), ['model.onnx', 'model.onnx_data']);
});

test('weights outside the model’s folder are refused', async () => {
  const { home, weights } = withExternalWeights(path.join(folder, 'outside'), '../outside.bin');
  writeFileSync(path.join(folder, 'outside.bin'), weights);
  await assert.rejects(activationsAndLoss(home), /outside its folder/);
  rmSync(path.join(folder, 'outside.bin'));
});
