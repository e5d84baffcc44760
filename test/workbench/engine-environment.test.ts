import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineEnvironment } from '../../src/workbench/engine-environment.js';

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
  assert.deepEqual(engineEnvironment({ ...wanted, ...unwanted }, false), { ...wanted, ORT_DISABLE_TELEMETRY: '1' });
});

test('inside Electron the engine is told to be Node', () => {
  const env = engineEnvironment({ PATH: '/bin' }, true);
  assert.deepEqual(env, { PATH: '/bin', ORT_DISABLE_TELEMETRY: '1', ELECTRON_RUN_AS_NODE: '1' });
});
