import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realNumber, wholeNumber } from '../../../src/extension/train/numbers.js';

test('whole numbers as people type them', () => {
  for (const typed of ['4096', '4,096', ' 4 096 ', '4_096', '2^12', '2 ^ 12']) assert.equal(wholeNumber(typed), 4096);
  assert.equal(wholeNumber('0'), 0);
});

test('what is no whole number is none', () => {
  for (const typed of ['', ' ', '-1', '1.5', '1e3', 'many', '0x10', '2^', '9^99', '9'.repeat(20)]) {
    assert.equal(wholeNumber(typed), undefined, typed);
  }
});

test('real numbers from zero up', () => {
  assert.deepEqual(['2', '0.5', ' 1e-3 ', '0'].map(realNumber), [2, 0.5, 1e-3, 0]);
  for (const typed of ['', ' ', '-1', 'x', 'Infinity', '1,5']) assert.equal(realNumber(typed), undefined, typed);
});
