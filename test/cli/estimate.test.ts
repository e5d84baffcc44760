import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { contents, demoModel, iw, temporaryFolder } from './cli.js';

const folder = temporaryFolder();

test('the amounts, the speed and the time of a training are told, and nothing is left behind', async () => {
  const source = ['--model', demoModel, '--layer', '1', '--text', 'bundled:sample', '--max-samples', '8'];
  const { code, stdout, stderr } = await iw(folder, 'estimate', ...source, '--latent-dim', '64', '--batch-size', '64');
  assert.equal(code, 0, stderr);
  const rate = String.raw`[\d.]+[kM]?`;
  const both = new RegExp(`^speed +${rate} tokens/s training, ${rate} extracting, ${rate} both in \\d+ epochs$`, 'm');
  assert.match(stdout, both);
  assert.match(stdout, /^SAE +topk · 64 latents · k 32 · blocks\.1\.hook_resid_post · width 256$/m);
  assert.match(stdout, /^time +about \S/m);
  assert.deepEqual(await contents(folder), []);
});

test('of recorded activations the speed is that of reading them', async () => {
  const file = path.resolve('test/fixtures/activations/list-float-zstd-dictionary.parquet');
  const sizes = ['--latent-dim', '8', '--k', '2', '--batch-size', '8', '--epochs', '1'];
  const { code, stdout, stderr } = await iw(folder, 'estimate', '--activations', file, ...sizes);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^speed +\S+ tokens\/s training, \S+ reading, \S+ both$/m);
  const json = await iw(folder, 'estimate', '--activations', file, ...sizes, '--json');
  const { tokens_per_second: rates } = JSON.parse(json.stdout) as { tokens_per_second: Record<string, number> };
  assert.deepEqual(Object.keys(rates), ['extracting', 'training', 'both']);
});
