import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRecord } from '../../../src/workbench/logging/format.js';
import { redact } from '../../../src/workbench/logging/redact.js';

const time = new Date(2024, 0, 15, 10, 30, 45).getTime();
const line = (message: string, stack?: string) =>
  formatRecord({ time, component: 'api', level: 'INFO', message, ...(stack === undefined ? {} : { stack }) });

test('a record is local time, component, level and message', () => {
  assert.equal(line('Health check requested'), '2024-01-15 10:30:45 - api - INFO - Health check requested\n');
});

test('a record is one line whatever its message holds', () => {
  const text = line('a\nb\r\nc\td\u001b[31mred\u0000\u007f\u0085\u2028\u2029\u009b end');
  assert.equal(text.indexOf('\n'), text.length - 1);
  assert.doesNotMatch(text.trimEnd(), /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  assert.match(text, /a\\nb\\r\\nc\\td\\u001b\[31mred\\u0000/);
});

test('a stack stands below on indented lines, free of control characters', () => {
  const text = line('failed', 'Error: failed\r\n    at a (b.js:1:2)\n\n  \u001b[31mcaused by\n');
  assert.deepEqual(text.split('\n').slice(1), [
    '    Error: failed',
    '        at a (b.js:1:2)',
    '      \\u001b[31mcaused by',
    '',
  ]);
});

test('a message without end is cut and says by how much', () => {
  const text = line('x'.repeat(40_000));
  assert.ok(text.length < 33_000);
  assert.match(text, /… \(7232 more characters\)\n$/);
});

test('tokens, keys and passwords are taken out, the text around them stays', () => {
  const secrets: [string, string][] = [
    ['GET /ws?token=abc123&x=1 101', 'GET /ws?token=…&x=1 101'],
    ['Authorization: Bearer abc.def-123', 'Authorization: Bearer …'],
    ['subprotocol bearer.0a1b2c', 'subprotocol bearer.…'],
    ['downloading with hf_abcdefghijkl', 'downloading with hf_…'],
    ['proxy http://me:secret@host:80/', 'proxy http://me:…@host:80/'],
    ['{"password": "x y"}', '{"password": "… y"}'],
  ];
  for (const [text, clean] of secrets) assert.equal(redact(text), clean);
  const harmless = '327744 tokens in 2662 contexts, 16356 tokens/s, tokenizer.json';
  assert.equal(redact(harmless), harmless);
});
