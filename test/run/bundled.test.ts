import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { WorkbenchError } from '../../src/shared/errors.js';
import { packageRoot, resolveBundled } from '../../src/run/bundled.js';

test('the package is found from where its code lies', () => {
  assert.equal(packageRoot(), path.join(__dirname, '../..'));
});

test('bundled names stand for files that are there, other names for themselves', () => {
  assert.ok(existsSync(path.join(resolveBundled('bundled:demo-gpt2'), 'onnx/model.onnx')));
  assert.ok(existsSync(resolveBundled('bundled:sample')));
  assert.equal(resolveBundled('some/folder'), 'some/folder');
});

test('a name that does not ship is refused with those that do', () => {
  for (const name of ['bundled:demo-gtp2', 'bundled:', 'bundled:constructor']) {
    assert.throws(
      () => resolveBundled(name),
      (error: WorkbenchError) => {
        assert.equal(error.problem.code, 'model_not_found');
        assert.ok(error.message.includes(name));
        assert.match(error.problem.hint, /bundled:demo-gpt2/);
        return true;
      },
    );
  }
});
