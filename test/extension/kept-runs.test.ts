import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Memento } from 'vscode';
import { OutsideRuns } from '../../src/extension/outside-runs.js';
import { RememberedRuns } from '../../src/extension/remembered-runs.js';

/** VS Code's memory of an extension, which outlives the objects that use it. */
function memory(): Memento {
  const values = new Map<string, unknown>();
  return {
    keys: () => [...values.keys()],
    get: <T>(key: string, missing?: T) => (values.get(key) ?? missing) as T,
    update: (key, value) => {
      values.set(key, value);
      return Promise.resolve();
    },
  };
}

test('runs at work are remembered beyond the window, each once, until they are forgotten', async () => {
  const kept = memory();
  const runs = new RememberedRuns(kept);
  await runs.remember('a');
  await runs.remember('b');
  await runs.remember('a');
  assert.deepEqual(new RememberedRuns(kept).list(), ['b', 'a']);
  await runs.forget('b');
  assert.deepEqual(new RememberedRuns(kept).list(), ['a']);
});

test('only run folders outside the runs folders are kept, for as long as they exist', async (t) => {
  const base = mkdtempSync(path.join(tmpdir(), 'iw-outside-'));
  t.after(() => {
    rmSync(base, { recursive: true, force: true });
  });
  const gone = path.join(base, 'gone');
  const kept = memory();
  const runs = new OutsideRuns(kept);
  await runs.add(path.join('/runs', 'a'), ['/runs']);
  assert.deepEqual(runs.list(), []);
  await runs.add(gone, ['/runs']);
  assert.deepEqual(runs.list(), [gone], 'a folder may be made a moment later');
  await runs.add(base, ['/runs']);
  await runs.add(base, ['/runs']);
  assert.deepEqual(new OutsideRuns(kept).list(), [base]);
});
