import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyRange } from '../../../src/extension/train/key-range.js';

const at = (text: string, key: string) => {
  const range = keyRange(text, key);
  return range && [range.start, text.slice(range.start, range.end)];
};

test('a key of the outermost object is found', () => {
  assert.deepEqual(at('{\n  "k": 3,\n  "seed" : 4\n}', 'seed'), [14, '"seed"']);
  assert.deepEqual(at('{"k": 3}', 'k'), [1, '"k"']);
});

test('a value and a key further in are no such key', () => {
  assert.deepEqual(at('{"name": "k", "k": 3}', 'k'), [14, '"k"']);
  assert.deepEqual(at('{"provenance": {"k": 1}, "text": ["k"], "k": 3}', 'k'), [40, '"k"']);
  assert.equal(at('{"name": "k"}', 'k'), undefined);
});

test('brackets and quotes in strings do not lead astray', () => {
  assert.deepEqual(at('{"name": "a \\" { [", "k": 3}', 'k'), [21, '"k"']);
});

test('a key with escapes is the key it stands for', () => {
  assert.deepEqual(at('{"\\u006b": 3}', 'k'), [1, '"\\u006b"']);
});

test('a broken text is searched as far as it goes', () => {
  assert.deepEqual(at('{"k": 3, "seed', 'k'), [1, '"k"']);
  assert.equal(at('', 'k'), undefined);
});
