import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SaeInference } from '../../../src/engine/sae/infer.js';

test('an SAE with very many latents runs on fewer rows at a time instead of not at all', async () => {
  const [width, latents] = [1, 1_100_000];
  const decoder = new Float32Array(latents).fill(1);
  const encoderBias = new Float32Array(latents).fill(-5);
  const inference = await SaeInference.create(
    {
      architecture: 'standard',
      width,
      latents,
      encoder: decoder,
      decoder,
      encoderBias,
      decoderBias: Float32Array.of(2),
    },
    1,
  );
  assert.ok(inference.maxRows >= 1 && inference.maxRows < 512);
  encoderBias[7] = 0;
  const { reconstruction, indices, values } = await inference.run(Float32Array.of(5), 1);
  assert.deepEqual([[...indices], [...values], [...reconstruction]], [[7], [3], [5]]);
  await inference.dispose();
});
