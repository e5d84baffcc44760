import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemLines } from '../../../src/cli/terminal/problem.js';

test('a problem is its sentence and its hint, each on one line whatever names they hold', () => {
  const lines = problemLines({ message: 'There is no column a\u001b[2J, only b\n.', hint: 'Try again.' });
  assert.deepEqual(lines, ['error: There is no column a\\u001b[2J, only b↵.', 'hint: Try again.']);
});
