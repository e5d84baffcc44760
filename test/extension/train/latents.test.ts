import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latentChoice, latentChoices } from '../../../src/extension/train/latents.js';

const options = { architecture: 'topk', width: 256, availableBytes: 8e9 } as const;

test('choices are powers of two around the usual number, in order', () => {
  const choices = latentChoices(options);
  assert.deepEqual(
    choices.map(({ latents }) => latents),
    [512, 1024, 2048, 4096, 8192, 16384],
  );
  assert.deepEqual(
    choices.filter(({ usual }) => usual).map(({ latents, expansion }) => [latents, expansion]),
    [[4096, 16]],
  );
});

test('a usual number that is no power of two is a choice too', () => {
  const choices = latentChoices({ ...options, width: 768 });
  assert.ok(choices.find(({ latents, usual }) => latents === 12288 && usual));
  assert.ok(choices.find(({ latents }) => latents === 8192));
});

test('more latents take more memory, and what is more than there is does not fit', () => {
  const choices = latentChoices(options);
  for (const [index, { memoryBytes }] of choices.entries()) {
    assert.ok(index === 0 || memoryBytes > choices[index - 1]!.memoryBytes);
  }
  const { memoryBytes } = latentChoice(4096, options);
  assert.equal(latentChoice(4096, { ...options, availableBytes: memoryBytes }).fits, true);
  assert.equal(latentChoice(4096, { ...options, availableBytes: memoryBytes - 1 }).fits, false);
});

test('few dimensions still give choices that can be trained', () => {
  for (const { latents } of latentChoices({ ...options, width: 1 })) assert.ok(latents >= 2);
});
