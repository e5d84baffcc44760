import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineEnvironment } from '../../src/workbench/engine-environment.js';

/** What every engine is given besides. */
const settings = { ORT_DISABLE_TELEMETRY: '1', MALLOC_MMAP_THRESHOLD_: '1048576' };

test('an engine is given what programs need and nothing of an editor’s or Node’s own', () => {
  const wanted = {
    PATH: '/bin',
    Path: 'C:\\',
    HOME: '/home/a',
    TMPDIR: '/tmp',
    LC_ALL: 'C',
    https_proxy: 'http://p',
    HF_TOKEN: 't',
  };
  const unwanted = {
    NODE_OPTIONS: '--inspect',
    VSCODE_PID: '1',
    ELECTRON_RUN_AS_NODE: '1',
    IW_TOKEN: 'x',
    MY_PATH: 'y',
  };
  assert.deepEqual(engineEnvironment({ ...wanted, ...unwanted }, false), { ...wanted, ...settings });
});

test('inside Electron the engine is told to be Node', () => {
  const env = engineEnvironment({ PATH: '/bin' }, true);
  assert.deepEqual(env, { PATH: '/bin', ...settings, ELECTRON_RUN_AS_NODE: '1' });
});
