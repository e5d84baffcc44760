import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../../../src/shared/config.js';
import { Random } from '../../../src/engine/random.js';
import { initialise } from '../../../src/engine/training/initialise.js';
import { geometricMedian, normalise } from '../../../src/engine/training/normalisation.js';
import { learningRate, sparsityCoef } from '../../../src/engine/training/schedule.js';

const goOn = () => Promise.resolve();

test('the geometric median of three points is their Fermat point', async () => {
  // an equilateral triangle around (1, 2): its center, wherever the mean of repeated corners lies
  const corners = [0, 1, 2].map((i) => [1 + Math.cos((2 * Math.PI * i) / 3), 2 + Math.sin((2 * Math.PI * i) / 3)]);
  const median = await geometricMedian(Float32Array.from(corners.flat()), 3, 2, 1e-9, goOn);
  assert.ok(Math.hypot(median[0]! - 1, median[1]! - 2) < 1e-6);
});

test('the geometric median does not follow an outlier, and rows equal to it do no harm', async () => {
  const median = await geometricMedian(Float32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1e6, 1e6), 5, 2, 1e-9, goOn);
  assert.ok(Math.hypot(...median) < 1e-3, String(median));
});

test('activations are scaled to a mean squared norm of d, and V is the variance that is left', async () => {
  const [rows, d] = [5000, 6];
  const random = new Random(1, 'x');
  const x = Float32Array.from({ length: rows * d }, (_, i) => 3 * random.normal() + (i % d));
  const { scale, variance, center } = await normalise(x, rows, d, goOn);
  const squares = x.reduce((sum, value) => sum + (scale * value) ** 2, 0);
  assert.ok(Math.abs(squares / rows / d - 1) < 1e-6);
  assert.ok(Math.abs(variance / (scale * scale * 9 * d) - 1) < 0.05, `V ${variance}`);
  for (let j = 0; j < d; j++) assert.ok(Math.abs(center[j]! / scale - j) < 0.15, `center ${j}: ${center[j]! / scale}`);
});

test('only the first 2^17 activations count, however many the shuffle buffer holds', async () => {
  const x = new Float32Array(2 ** 17 + 1000).map((_, i) => (i < 2 ** 17 ? (i % 3) - 1 : 1e6));
  const some = await normalise(x, 2 ** 17, 1, goOn);
  assert.deepEqual(await normalise(x, x.length, 1, goOn), some);
});

test('the constants of a run can be interrupted while they are computed', async () => {
  let passes = 0;
  const interrupt = () => (++passes === 3 ? Promise.reject(new Error('stop')) : Promise.resolve());
  await assert.rejects(normalise(Float32Array.of(0, 0, 0, 1, 2, 0, 9, 9), 4, 2, interrupt), /stop/);
});

test('decoder rows start at unit norm and a tied encoder is the same rows', () => {
  const weights = {
    architecture: 'topk' as const,
    width: 8,
    latents: 5,
    k: 2,
    encoder: new Float32Array(40),
    decoder: new Float32Array(40),
    encoderBias: new Float32Array(5).fill(9),
    decoderBias: new Float32Array(8),
  };
  initialise(weights, new Float32Array(8).fill(2), true, 1);
  assert.deepEqual(weights.encoder, weights.decoder);
  assert.deepEqual(weights.encoderBias, new Float32Array(5));
  assert.deepEqual(weights.decoderBias, new Float32Array(8).fill(2));
  for (let i = 0; i < 5; i++) {
    assert.ok(Math.abs(Math.hypot(...weights.decoder.subarray(8 * i, 8 * i + 8)) - 1) < 1e-6);
  }
  const tied = weights.decoder.slice();
  initialise(weights, new Float32Array(8), false, 1);
  assert.deepEqual(weights.decoder, tied);
  assert.notDeepEqual(weights.encoder, weights.decoder);
});

test('the learning rate warms up, stays and falls to zero, λ rises from zero', () => {
  const config = resolveConfig(
    { architecture: 'standard', learning_rate: 1, max_epochs: 1, batch_size: 10 },
    32,
    10_000,
  );
  const steps = 1000;
  const rates = Array.from({ length: steps }, (_, t) => learningRate(config, t, steps));
  assert.equal(rates[0], 1 / 50);
  assert.equal(rates[49], 1);
  assert.equal(rates[799], 1);
  assert.ok(Math.abs(rates[900]! - 0.5) < 1e-9);
  assert.ok(Math.abs(rates[999]! - 1 / 200) < 1e-9);
  assert.deepEqual(
    [0, 25, 50, 999].map((t) => sparsityCoef(config, t, steps)),
    [0, 1, 2, 2],
  );
});
