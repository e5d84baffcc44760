import assert from 'node:assert/strict';
import test from 'node:test';
import { Feeds } from '../../../src/engine/model/feeds.js';
import { indexGraph } from '../../../src/engine/model/graph.js';
import type { GraphProto } from '../../../src/engine/model/onnx.js';

const ids = Int32Array.of(5, 6, 7, 8, 0, 0);
const lengths = Int32Array.of(3, 1);

/** The tensor an input of this type and shape gets, for 2 contexts of 3 tokens. */
function fed(name: string, elemType: number, dims: (string | number)[]) {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  const graph: GraphProto = { input: [{ name, type: { tensorType: { elemType, shape: { dim } } } }] };
  const feeds = new Feeds(indexGraph('model.onnx', { graph }, graph), [name, 'not-an-input-anymore']);
  const { type, dims: shape, data } = feeds.fill(ids, lengths, 3)[name]!;
  return { type, shape: [...shape], data: Array.from(data as ArrayLike<number | bigint>, Number) };
}

for (const [what, name, elemType, dims, expected] of [
  ['token ids', 'input_ids', 7, ['b', 's'], { type: 'int64', shape: [2, 3], data: [5, 6, 7, 8, 0, 0] }],
  ['token ids of 32 bits', 'input_ids', 6, ['b', 's'], { type: 'int32', shape: [2, 3], data: [5, 6, 7, 8, 0, 0] }],
  ['the mask', 'attention_mask', 7, ['b', 's'], { type: 'int64', shape: [2, 3], data: [1, 1, 1, 1, 0, 0] }],
  ['a mask of floats', 'attention_mask', 1, ['b', 's'], { type: 'float32', shape: [2, 3], data: [1, 1, 1, 1, 0, 0] }],
  ['positions', 'position_ids', 7, ['b', 's'], { type: 'int64', shape: [2, 3], data: [0, 1, 2, 0, 1, 2] }],
  ['token types', 'token_type_ids', 7, ['b', 's'], { type: 'int64', shape: [2, 3], data: [0, 0, 0, 0, 0, 0] }],
  ['cache positions', 'cache_position', 7, ['s'], { type: 'int64', shape: [3], data: [0, 1, 2] }],
  [
    'an empty cache',
    'past_key_values.0.key',
    1,
    ['b', 4, 'past', 8],
    { type: 'float32', shape: [2, 4, 0, 8], data: [] },
  ],
  [
    'an empty cache of float16',
    'past_key_values.11.value',
    10,
    ['b', 4, 'past', 8],
    { type: 'float16', shape: [2, 4, 0, 8], data: [] },
  ],
  ['the switch to the cache', 'use_cache_branch', 9, [1], { type: 'bool', shape: [1], data: [0] }],
  ['how many logits to keep (0 is all)', 'num_logits_to_keep', 7, [], { type: 'int64', shape: [], data: [0] }],
] as const) {
  test(`${what}: ${name} gets what it needs`, () => {
    assert.deepEqual(fed(name, elemType, [...dims]), expected);
  });
}

test('other text of the same shape is filled into the same tensors, another shape makes new ones', () => {
  const dim = [{ dimParam: 'b' }, { dimParam: 's' }];
  const graph: GraphProto = { input: [{ name: 'input_ids', type: { tensorType: { elemType: 7, shape: { dim } } } }] };
  const feeds = new Feeds(indexGraph('model.onnx', { graph }, graph), ['input_ids']);
  const first = feeds.fill(ids, lengths, 3).input_ids!;
  const second = feeds.fill(
    ids.map((id) => id + 1),
    lengths,
    3,
  ).input_ids!;
  assert.equal(first, second);
  assert.deepEqual([...(second.data as BigInt64Array)], [6n, 7n, 8n, 9n, 1n, 1n]);
  assert.deepEqual([...feeds.fill(ids, Int32Array.of(2, 2, 2), 2).input_ids!.dims], [3, 2]);
});
