import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { folderBytes } from '../../../src/extension/runs/folder-size.js';
import { temporaryFolder } from '../../workbench/small-run.js';

test('the size of a folder is that of all files in it, at any depth', async () => {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, 'checkpoints', '100'), { recursive: true });
  mkdirSync(path.join(folder, 'empty'));
  writeFileSync(path.join(folder, 'job.json'), 'x'.repeat(10));
  writeFileSync(path.join(folder, 'checkpoints', '100', 'state'), 'x'.repeat(1000));
  assert.equal(await folderBytes(folder), 1010);
});
