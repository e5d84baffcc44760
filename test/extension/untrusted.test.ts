import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { untrustedProblem } from '../../src/extension/untrusted.js';
import type { SaeConfig } from '../../src/shared/config.js';
import { translate } from './translate.js';

const demo: SaeConfig = { model: 'bundled:demo-gpt2', text: ['bundled:sample'], layer_idx: 2 };
const fieldOf = (config: SaeConfig) => untrustedProblem(config, translate)?.field;

test('what ships may be trained without trust', () => {
  assert.equal(fieldOf(demo), undefined);
  assert.equal(fieldOf({ ...demo, k: 8, latent_dim: 64, name: 'mine' }), undefined);
});

test('a model, a text, recorded activations or a folder of the workspace may not', () => {
  assert.equal(fieldOf({ ...demo, model: '/workspace/model' }), 'model');
  assert.equal(fieldOf({ ...demo, model: 'bundled:../model' }), 'model');
  assert.equal(fieldOf({ text: ['bundled:sample'] }), 'model');
  assert.equal(fieldOf({ ...demo, text: ['bundled:sample', '/workspace/secret.txt'] }), 'text');
  assert.equal(fieldOf({ activation_data_path: '/workspace/a.parquet' }), 'activation_data_path');
  assert.equal(fieldOf({ ...demo, output_dir: '/home/me' }), 'output_dir');
});

test('a run that exists may go on in its own folder, where the extension keeps it', () => {
  const stored = path.resolve('/stored');
  const run = { dir: path.join(stored, 'a'), stored };
  assert.equal(untrustedProblem(demo, translate, run), undefined);
  assert.equal(untrustedProblem({ ...demo, output_dir: run.dir }, translate, run), undefined);
  assert.equal(untrustedProblem({ ...demo, output_dir: '/runs/b' }, translate, run)?.field, 'output_dir');
});

test('a run that came with the workspace may not, whatever it names', () => {
  const stored = path.resolve('/stored');
  for (const dir of ['/workspace/.interpretability/runs/a', '/stored/a/b', '/stored']) {
    const problem = untrustedProblem(demo, translate, { dir: path.resolve(dir), stored });
    assert.equal(problem?.code, 'not_trusted', dir);
    assert.ok(problem.message.includes(path.resolve(dir)));
  }
});

test('the problem names what was refused and what to do', () => {
  const problem = untrustedProblem({ ...demo, model: '/workspace/model' }, translate);
  assert.equal(problem?.code, 'not_trusted');
  assert.match(problem.message, /not trusted.*\/workspace\/model/);
  assert.match(problem.hint, /Trust the workspace/);
});
