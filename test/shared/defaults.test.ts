import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig, totalSteps, type SaeConfig } from '../../src/shared/config.js';

const batchOf = (rows: number, config: SaeConfig = {}) => resolveConfig(config, 64, rows).batch_size;

test('the default batch is the largest that gives 1500 steps, incomplete batches of an epoch not counted', () => {
  assert.equal(batchOf(10_000_000), 4096);
  assert.equal(batchOf(715_000), 2048);
  assert.equal(batchOf(3000, { max_epochs: 1200 }), 1024, 'one batch of 2048 an epoch would make 1200 steps');
  for (const rows of [2100, 3000, 6000, 9000, 50_000]) {
    const config = resolveConfig({}, 64, rows);
    assert.ok(totalSteps(config, rows) >= 1500, `${rows} rows`);
    assert.ok(totalSteps(config, rows) * config.batch_size >= 3_500_000, `${rows} rows`);
  }
});

test('a text smaller than any usual batch trains on batches of what there is', () => {
  assert.equal(batchOf(2000), 1024);
  assert.equal(batchOf(900), 900);
  assert.equal(batchOf(1), 1);
});

test('max_tokens below the usual batch makes one step of a smaller one', () => {
  const config = resolveConfig({ max_tokens: 600 }, 64, 5000);
  assert.equal(totalSteps(config, 5000), 1);
  assert.throws(() => resolveConfig({ max_tokens: 600, batch_size: 1024 }, 64, 5000), /less than one batch/);
});

test('epochs are as many as show the tokens asked for', () => {
  const config = resolveConfig({ max_tokens: 10_000 }, 64, 3000);
  assert.deepEqual([config.batch_size, totalSteps(config, 3000)], [1024, 9]);
});

test('nothing to train on is refused', () => {
  assert.throws(() => resolveConfig({}, 64, 0), /no tokens/);
});

test('the learning rate falls with the latents, and is higher in short runs of topk, up to what the width bears', () => {
  const rate = (config: SaeConfig, width: number, steps: number) =>
    resolveConfig({ latent_dim: 4096, batch_size: 100, max_epochs: 1, ...config }, width, 100 * steps).learning_rate;
  assert.equal(rate({}, 256, 25_000), 4e-4);
  assert.equal(rate({}, 256, 100_000), 4e-4);
  assert.equal(rate({ latent_dim: 1024 }, 256, 25_000), 8e-4);
  assert.equal(rate({}, 256, 6250), 8e-4);
  assert.equal(rate({ architecture: 'standard' }, 256, 6250), 4e-4);
  assert.equal(rate({}, 2500, 25), 6e-4);
  assert.equal(rate({ latent_dim: 64 }, 10_000, 25), 3.2e-3);
});

test('a key that is there but undefined takes its default', () => {
  const config: SaeConfig = { learning_rate: undefined, seed: undefined, batch_size: 10 };
  assert.deepEqual(resolveConfig(config, 64, 5000), resolveConfig({ batch_size: 10 }, 64, 5000));
});
