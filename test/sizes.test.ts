import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const read = (file: string) => readFileSync(path.join(__dirname, '..', 'dist', file));

test('what a window evaluates when the extension is activated stays small', () => {
  assert.ok(read('extension.js').length < 120_000);
});

test('what is loaded at first use stays small', () => {
  assert.ok(read('workbench.js').length < 700_000);
});

test('the panel stays small', () => {
  const page = Buffer.concat([read('webview.js'), read('webview.css')]);
  assert.ok(page.length < 350_000);
  assert.ok(gzipSync(page).length < 120_000);
});

test('the extension loads the workbench and no native module', () => {
  const source = read('extension.js').toString();
  const loaded = [...source.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name);
  assert.deepEqual(
    loaded.filter((name) => !/^(node:|vscode$)/.test(name!)),
    ['./workbench.js'],
  );
});
