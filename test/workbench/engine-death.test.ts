import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainDeath, type Death } from '../../src/workbench/engine-death.js';

const explain = (death: Partial<Death>) =>
  explainDeath({ code: null, signal: null, lastWords: [], memoryKills: null, ...death }).problem;

test('a full JavaScript heap, a failed allocation and the system’s memory killer are all out_of_memory', () => {
  const deaths: Partial<Death>[] = [
    {
      code: 134,
      lastWords: [
        'FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory',
      ],
    },
    { signal: 'SIGABRT', lastWords: ["terminate called after throwing an instance of 'std::bad_alloc'"] },
    { code: 1, lastWords: ['RangeError: Array buffer allocation failed'] },
    { signal: 'SIGKILL', memoryKills: true },
    { signal: 'SIGKILL', memoryKills: null },
    { code: 137 },
    { code: 0xc0000017 },
    { code: 0xc0000017 | 0 },
  ];
  for (const death of deaths) assert.equal(explain(death).code, 'out_of_memory', JSON.stringify(death));
});

test('a kill while the system killed nothing for memory is a crash, as any other signal is', () => {
  assert.equal(explain({ signal: 'SIGKILL', memoryKills: false }).code, 'engine_crashed');
  assert.match(explain({ signal: 'SIGSEGV' }).message, /signal SIGSEGV/);
  assert.match(explain({ code: 3 }).message, /exit code 3/);
});

test('a crash is told with the line that says most', () => {
  const node = [
    'node:internal',
    '  throw err;',
    '',
    "Error: Cannot find module 'x'",
    '    at a (b.js:1:2)',
    '}',
    '',
    'Node.js v20.20.2',
  ];
  assert.match(explain({ code: 1, lastWords: node }).message, /Its last words: Error: Cannot find module 'x'$/);
  assert.match(explain({ code: 1, lastWords: ['first', '  the reason  ', ''] }).message, /Its last words: the reason$/);
  const { message, hint, input } = explain({ code: 1 });
  assert.doesNotMatch(message, /last words/);
  assert.match(hint, /Resume/);
  assert.equal(input, false);
});

test('a native library that is missing or cannot be loaded is told with how to get one', () => {
  const deaths = [
    ["Error: Cannot find module '../bin/napi-v6/linux/x64/onnxruntime_binding.node'", "  code: 'MODULE_NOT_FOUND',"],
    [
      "Error: /lib/libm.so.6: version `GLIBC_2.38' not found (required by libonnxruntime.so.1)",
      "  code: 'ERR_DLOPEN_FAILED'",
    ],
  ];
  for (const lastWords of deaths) {
    const { code, message, hint } = explain({ code: 1, lastWords });
    assert.equal(code, 'engine_crashed');
    assert.equal(message, `The native library of ONNX Runtime cannot be loaded: ${lastWords[0]!}`);
    assert.match(hint, /^Install again/);
  }
});
