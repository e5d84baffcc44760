import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../src/engine/random.js';
import { allocate } from '../../src/engine/training/backends/cpu/layout.js';
import { fitsInMemory, memoryNeeded, stepShape, trainingBytes, type StepOptions } from '../../src/shared/memory.js';

const page = 2 ** 16;

test('training takes the memory that the arithmetic says, whatever its shape', async () => {
  const random = new Random(1, 'shapes');
  const upTo = (most: number) => 1 + random.below(most);
  for (let i = 0; i < 50; i++) {
    const latents = 1 + upTo(3000);
    const options: StepOptions = {
      architecture: i % 2 ? 'topk' : 'standard',
      width: upTo(300),
      latents,
      k: Math.min(latents, upTo(64)),
      batch: upTo(700),
      preselection: i % 3 ? 'int8' : 'none',
    };
    const { arrays, pool } = await allocate(stepShape(options), 1);
    await pool.dispose();
    const { buffer } = arrays.xc.view;
    assert.equal(buffer.byteLength, page * Math.ceil(trainingBytes(options) / page), JSON.stringify(options));
  }
});

test('no two arrays of a step overlap', async () => {
  const options = { architecture: 'topk', width: 5, latents: 333, k: 3, batch: 7, preselection: 'int8' } as const;
  const { arrays, pool } = await allocate(stepShape(options), 1);
  await pool.dispose();
  assert.ok(arrays.candidates.view.length > 0);
  const places = Object.values(arrays)
    .flatMap((array) => ('view' in array ? [array] : Object.values(array)))
    .map(({ address, view }) => ({ address, end: address + view.byteLength }))
    .sort((a, b) => a.address - b.address);
  assert.equal(places[0]!.address, 64);
  for (const [i, { address }] of places.entries()) {
    assert.ok(address % 64 === 0 && address >= (places[i - 1]?.end ?? 0), String(i));
  }
});

test('the shuffle buffer is no larger than an epoch, and 4 GiB of parameters fit nowhere', () => {
  const config = {
    architecture: 'topk',
    latent_dim: 4096,
    k: 32,
    batch_size: 2048,
    preselection: 'int8',
    shuffle_buffer_tokens: 1000,
  } as const;
  assert.equal(memoryNeeded(config, 64, Infinity).buffer, 4 * 64 * 1000);
  assert.equal(memoryNeeded(config, 64, 10).buffer, 4 * 64 * 10);
  const { total } = memoryNeeded(config, 64, 10);
  assert.ok(fitsInMemory(memoryNeeded(config, 64, 10), total));
  assert.ok(!fitsInMemory(memoryNeeded(config, 64, 10), total - 1));
  assert.ok(!fitsInMemory(memoryNeeded({ ...config, latent_dim: 2 ** 20 }, 768, 10), Infinity));
});
