import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../src/engine/random.js';
import { CpuBackend } from '../../../src/engine/training/backends/cpu/cpu.js';
import type { CpuOptions } from '../../../src/engine/training/backends/cpu/options.js';
import { initialise } from '../../../src/engine/training/initialise.js';

const options: CpuOptions = {
  architecture: 'topk',
  width: 42,
  latents: 1000,
  k: 6,
  batch: 300,
  preselection: 'int8',
  threads: 2,
  seed: 3,
  clipNorm: 1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  auxCoef: 1 / 32,
  deadAfterTokens: 600,
};

/** Activations made of a few directions each, as those of a transformer are. */
function features(rows: number, width: number, seed: number): Float32Array {
  const random = new Random(7, 'directions');
  const directions = Array.from({ length: 200 }, () => Float32Array.from({ length: width }, () => random.normal()));
  const draw = new Random(seed, 'rows');
  const x = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let feature = 0; feature < 8; feature++) {
      const direction = directions[draw.below(directions.length)]!;
      const size = Math.abs(1 + 0.3 * draw.normal());
      for (let j = 0; j < width; j++) x[row * width + j]! += size * direction[j]!;
    }
  }
  return x;
}

async function start(change: Partial<CpuOptions> = {}): Promise<CpuBackend> {
  const backend = await CpuBackend.create({ ...options, ...change });
  initialise(backend.weights, new Float32Array(options.width), true, 1);
  backend.constants = { scale: 0.3, variance: 40 };
  return backend;
}

async function step(backend: CpuBackend, i: number, change = (x: Float32Array) => x) {
  backend.input.set(change(features(options.batch, options.width, i)));
  return backend.step(1e-3, 0, () => Promise.resolve());
}

const bytes = (backend: CpuBackend) =>
  Object.fromEntries(
    Object.entries(backend.tensors).map(([name, { data }]) => [name, Array.from(data as Float32Array)]),
  );
const exactly = (backend: CpuBackend) => (backend.tensors.state!.data as Uint32Array)[2];

for (const latents of [999, 1024]) {
  test(`int8 candidates hold the winners among ${latents} latents: training goes as with the exact product`, async () => {
    const [fast, exact] = [await start({ latents }), await start({ latents, preselection: 'none' })];
    for (let i = 0; i < 10; i++) {
      const [a, b] = [await step(fast, i), await step(exact, i)];
      assert.ok(Math.abs(a.reconstructionLoss / b.reconstructionLoss - 1) < 1e-3, `step ${i}`);
      assert.equal(a.l0, b.l0);
    }
    assert.equal(exactly(fast), 0);
    assert.ok(fast.recall! >= 0.999, String(fast.recall));
    await fast.dispose();
    await exact.dispose();
  });
}

test('where candidates miss winners the exact product takes over, and it is tried again later', async () => {
  // One huge dimension that no latent reads makes the steps of the int8 product coarser than what decides.
  const drown = (x: Float32Array) => x.map((value, i) => (i % options.width === 0 ? (i % 4 < 2 ? 3e4 : -3e4) : value));
  const [fast, exact] = [await start(), await start({ preselection: 'none' })];
  for (const { weights } of [fast, exact]) {
    for (let i = 0; i < options.latents; i++) weights.encoder[i * options.width] = 0;
  }
  const state = fast.tensors.state!.data as Uint32Array;
  await step(fast, 0, drown);
  await step(exact, 0, drown);
  assert.ok(fast.recall! < 0.9, String(fast.recall));
  assert.equal(exactly(fast), 1);
  assert.deepEqual(fast.weights.encoder, exact.weights.encoder);
  state[0] = 400;
  for (const { weights } of [fast]) initialise(weights, new Float32Array(options.width), true, 1);
  await step(fast, 1);
  assert.equal(exactly(fast), 0);
  await fast.dispose();
  await exact.dispose();
});

test('of activations that are no numbers the loss is none, and nothing fails', async () => {
  for (const change of [{ latents: 1024 }, { latents: 999 }, { preselection: 'none' }] as const) {
    const backend = await start({ ...change, auxCoef: 0 });
    const { reconstructionLoss } = await step(backend, 0, (x) => x.fill(NaN));
    assert.ok(Number.isNaN(reconstructionLoss), JSON.stringify(change));
    await backend.dispose();
  }
});

for (const change of [
  { preselection: 'int8' },
  { preselection: 'int8', latents: 999 },
  { preselection: 'none' },
  { preselection: 'int8', auxCoef: 0 },
  { architecture: 'standard', latents: 200 },
] as Partial<CpuOptions>[]) {
  test(`results do not depend on the number of threads: ${JSON.stringify(change)}`, async () => {
    const results = [];
    for (const threads of [1, 2, 3]) {
      const backend = await start({ ...change, threads });
      for (let i = 0; i < 5; i++) await step(backend, i);
      results.push(bytes(backend));
      await backend.dispose();
    }
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
  });
}
