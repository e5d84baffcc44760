import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endMessage } from '../../src/extension/end-message.js';
import { runState } from './run.js';
import { translate } from './translate.js';

const error = { code: 'disk_full', message: 'The disk is full.', hint: 'Free some space, then resume the run.' };

test('a completed run tells how good it is and how long it took', () => {
  const text = endMessage(runState('completed'), translate);
  assert.equal(text, '“demo” is trained: explained variance 0.907, L0 31.9, in 2:31.');
});

test('a failed run tells how far it came, why it failed and what to do', () => {
  const text = endMessage(runState('failed', { error }), translate);
  assert.equal(text, '“demo” failed at 42.0 %. The disk is full. Free some space, then resume the run.');
});

test('a run that was stopped is no news', () => {
  assert.equal(endMessage(runState('cancelled'), translate), undefined);
  assert.equal(endMessage(runState('interrupted'), translate), undefined);
});

test('neither a name nor an error makes a link', () => {
  const link = '[x](command:evil)';
  const text = endMessage(runState('failed', { name: link, error: { ...error, message: link } }), translate);
  assert.doesNotMatch(text ?? '', /\]\(/);
});
