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
    ['GET /next?to=%2Fws%3Ftoken%3Dabc123', 'GET /next?to=%2Fws%3Ftoken%3D…'],
    ['Authorization: Bearer abc.def-123', 'Authorization: Bearer …'],
    ['authorization: Basic bWU6c2VjcmV0', 'authorization: Basic …'],
    ['{"authorization":"Bearer abc","host":"localhost"}', '{"authorization":"Bearer …","host":"localhost"}'],
    ['subprotocol bearer.0a1b2c, other', 'subprotocol bearer.…, other'],
    ['downloading with hf_abcdefghijkl', 'downloading with hf_…'],
    ['IW_TOKEN=abc123 HF_TOKEN="a b" iw serve', 'IW_TOKEN=… HF_TOKEN="…" iw serve'],
    ['X-Api-Key: abc123', 'X-Api-Key: …'],
    ['proxy http://me:secret@host:80/', 'proxy http://me:…@host:80/'],
    ['{"url":"http://x","token":"abc","pid":1}', '{"url":"http://x","token":"…","pid":1}'],
    ['{"password": "x \\"y", "user": "me"}', '{"password": "…", "user": "me"}'],
    [String.raw`body "{\"token\":\"abc\",\"pid\":1}"`, String.raw`body "{\"token\":\"…\",\"pid\":1}"`],
    ["{ accessToken: 'abc' }", "{ accessToken: '…' }"],
    ['{"token":"cut in the mid', '{"token":"…"'],
  ];
  for (const [text, clean] of secrets) assert.equal(redact(text), clean);
  const harmless = [
    '327744 tokens in 2662 contexts, 16356 tokens/s, tokenizer.json: 1 MB',
    'L0 per token: 31.9, eos_token: <|endoftext|>, {"token":null}',
  ];
  for (const text of harmless) assert.equal(redact(text), text);
});

test('a text made to be slow to search is not', () => {
  const texts = ['token\\', 'token="', 'token ', '://a:', 'bearer.', 'authorization: ', 'a-', '\\'].map((part) =>
    part.repeat(200_000),
  );
  const before = process.cpuUsage();
  for (const text of texts) redact(text);
  const { user, system } = process.cpuUsage(before);
  // 50 ms if each text is gone through a few times; hours if the time grows with the square of the length.
  assert.ok(user + system < 5e6, `${(user + system) / 1e6} s`);
});
