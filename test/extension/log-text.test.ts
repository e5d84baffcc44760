import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelText } from '../../src/extension/log-text.js';

test('a record is its component and message; level and time are the channel’s', () => {
  assert.equal(channelText({ component: 'training', message: 'Epoch 1/2' }), 'training - Epoch 1/2');
});

test('a stack follows on indented lines', () => {
  const text = channelText({ component: 'engine', message: 'It broke', stack: 'Error: it\n  at a\r\n  at b\n' });
  assert.deepEqual(text.split('\n'), ['engine - It broke', '    Error: it', '      at a', '      at b']);
});

test('a message cannot begin a line of its own', () => {
  const text = channelText({ component: 'api', message: 'GET /\nfake - entry\u001b[31m' });
  assert.equal(text, 'api - GET /↵fake - entry\\u001b[31m');
});
