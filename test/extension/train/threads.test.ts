import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineThreads } from '../../../src/extension/train/threads.js';

test('by itself an engine takes all cores, from four on one fewer', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 16].map((cores) => engineThreads(0, cores)),
    [1, 2, 3, 3, 15],
  );
});

test('a number that is set is taken', () => {
  assert.equal(engineThreads(6, 4), 6);
});
