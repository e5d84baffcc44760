import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseOf, modelsOf, total } from '../../../src/extension/train/found-files.js';

const found = (...files: [path: string, bytes: number][]) => modelsOf(files.map(([path, bytes]) => ({ path, bytes })));

test('a folder stands for its graph, also where that lies in a subfolder', () => {
  assert.deepEqual(found(['/w/gpt2/onnx/model.onnx', 10], ['/w/b/one.onnx', 5]), [
    { path: '/w/b', name: 'b', bytes: 5 },
    { path: '/w/gpt2', name: 'gpt2', bytes: 10 },
  ]);
});

test('of several graphs the engine’s choice goes by the folder, the others by their files', () => {
  assert.deepEqual(found(['/w/g/onnx/model_int8.onnx', 3], ['/w/g/onnx/model.onnx', 10]), [
    { path: '/w/g', name: 'g', bytes: 10 },
    { path: '/w/g/onnx/model_int8.onnx', name: 'g/model_int8.onnx', bytes: 3 },
  ]);
});

test('a folder that does not say which graph is meant stands for none', () => {
  const paths = found(['/w/g/a.onnx', 1], ['/w/g/b.onnx', 2]).map(({ path }) => path);
  assert.deepEqual(paths, ['/w/g/a.onnx', '/w/g/b.onnx']);
});

test('weights beside a graph count, and are no model', () => {
  assert.deepEqual(found(['/w/g/model.onnx', 1], ['/w/g/model.onnx_data', 100], ['/w/g/model.onnx_data_1', 50]), [
    { path: '/w/g', name: 'g', bytes: 151 },
  ]);
});

test('names and sizes', () => {
  assert.equal(baseOf('/a/b.txt'), 'b.txt');
  assert.equal(
    total([
      { path: 'a', bytes: 2 },
      { path: 'b', bytes: 3 },
    ]),
    5,
  );
});
