import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { programWords, shellQuote, shortest } from '../../src/cli/invocation.js';

test('the program is named as it was started', () => {
  const root = path.resolve('/work');
  assert.deepEqual(programWords(path.join(root, 'bin', 'iw'), {}, root), ['iw']);
  assert.deepEqual(programWords(path.join(root, 'dist', 'cli.js'), {}, root), ['node', path.join('dist', 'cli.js')]);
  const start = { npm_lifecycle_event: 'start' };
  assert.deepEqual(programWords(path.join(root, 'dist', 'cli.js'), start, root), ['npm', 'run', 'iw', '--']);
});

test('a path is shown relative inside the current folder and whole outside', () => {
  const root = path.resolve('/work');
  assert.equal(shortest(path.join(root, 'runs', 'a'), root), path.join('runs', 'a'));
  assert.equal(shortest(path.resolve('/other/a'), root), path.resolve('/other/a'));
  assert.equal(shortest(root, root), '.');
});

test('arguments are quoted for the shell of the platform, and only where needed', () => {
  assert.equal(shellQuote('runs/a-b_1.5', 'linux'), 'runs/a-b_1.5');
  assert.equal(shellQuote("it's $here", 'linux'), "'it'\\''s $here'");
  assert.equal(shellQuote('C:\\runs\\a', 'win32'), 'C:\\runs\\a');
  assert.equal(shellQuote('C:\\my runs', 'win32'), '"C:\\my runs"');
});
