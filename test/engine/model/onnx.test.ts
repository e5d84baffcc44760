import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import protobuf from 'protobufjs';
import { decodeModel, encodeModel, toNumber } from '../../../src/engine/model/onnx.js';
import descriptor from '../../../src/engine/model/onnx.proto.json';

const models = ['test/fixtures/tiny-sotu-gpt2', 'examples/demo-gpt2'];
const root = path.join(__dirname, '../../..');

test('onnx.proto.json is onnx.proto, parsed', () => {
  const source = readFileSync(path.join(root, 'src/engine/model/onnx.proto'), 'utf8');
  assert.deepEqual(JSON.parse(JSON.stringify(protobuf.parse(source).root.toJSON())), descriptor);
});

for (const model of models) {
  test(`${model} is the same byte for byte after reading and writing`, () => {
    const bytes = readFileSync(path.join(root, model, 'onnx/model.onnx'));
    assert.ok(bytes.equals(encodeModel(decodeModel(bytes))));
  });
}

test('64-bit integers survive reading and writing exactly', () => {
  const largest = { low: -1, high: 0x7fffffff, unsigned: false, toNumber: () => 2 ** 63 };
  const attribute = [{ name: 'ends', type: 7, ints: [largest] }];
  const model = decodeModel(encodeModel({ graph: { node: [{ opType: 'Slice', attribute }] } }));
  const [read] = decodeModel(encodeModel(model)).graph!.node![0]!.attribute![0]!.ints!;
  const { low, high } = read as unknown as typeof largest;
  assert.deepEqual([low, high], [-1, 0x7fffffff]);
  assert.equal(toNumber(read!), 2 ** 63);
});
