import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig, type SaeConfig } from '../../../src/shared/config.js';
import { meanCorrelation, SyntheticActivations } from '../../../src/engine/evaluation/synthetic.js';
import { CpuBackend } from '../../../src/engine/training/backends/cpu/cpu.js';
import { cpuOptions } from '../../../src/engine/training/backends/cpu/options.js';
import { initialise } from '../../../src/engine/training/initialise.js';
import { normalise } from '../../../src/engine/training/normalisation.js';
import { learningRate, sparsityCoef } from '../../../src/engine/training/schedule.js';

const steps = 3000;
const batch = 1024;

/** Trains on 16 random unit features in 32 dimensions and says how well they were recovered. */
async function recovered(given: SaeConfig, seed: number): Promise<number> {
  const width = 32;
  const data = new SyntheticActivations({ features: 16, width, probability: 1 / 8, seed });
  const config = resolveConfig({ ...given, seed, max_epochs: 1, batch_size: batch }, width, steps * batch);
  const backend = await CpuBackend.create(cpuOptions(config, width, 1));
  const first = data.sample(8 * batch);
  const { scale, variance, center } = await normalise(first, 8 * batch, width, () => Promise.resolve());
  backend.constants = { scale, variance };
  initialise(backend.weights, center, config.tied_init, seed);
  for (let step = 0; step < steps; step++) {
    backend.input.set(data.sample(batch));
    await backend.step(learningRate(config, step, steps), sparsityCoef(config, step, steps), () => Promise.resolve());
  }
  const mcc = meanCorrelation(data.directions, backend.weights.decoder, width);
  await backend.dispose();
  return mcc;
}

for (const seed of [0, 1, 2, 3, 4]) {
  test(`topk recovers the toy features, seed ${seed}`, async () => {
    const mcc = await recovered({ architecture: 'topk', latent_dim: 32, k: 4 }, seed);
    assert.ok(mcc > 0.99, `MCC ${mcc}`);
  });

  test(`standard recovers the toy features, seed ${seed}`, async () => {
    const mcc = await recovered({ architecture: 'standard', latent_dim: 16, sparsity_coef: 0.5 }, seed);
    assert.ok(mcc > 0.99, `MCC ${mcc}`);
  });
}
