import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { toProblem } from '../../src/shared/errors.js';
import type * as library from '../../src/workbench/index.js';
import { root } from '../workbench/small-run.js';

test('a problem of the workbench program is the same problem in the extension', async () => {
  const { readConfigFile } = (await import(path.join(root, 'dist', 'workbench.js'))) as typeof library;
  await assert.rejects(readConfigFile(path.join(root, 'none.sae.json')), (error) => {
    assert.equal(toProblem(error).code, 'config_invalid');
    assert.equal(toProblem(error).input, true);
    return true;
  });
});
