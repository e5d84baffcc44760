import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadKernels } from '../../../src/engine/kernels/kernels.js';
import { MemoryPlan } from '../../../src/engine/kernels/memory.js';
import { Random } from '../../../src/engine/random.js';

const [rows, latents, width] = [24, 19, 11];
/** How many entries each latent has: some none, the fourth one none but a dense gradient row. */
const entriesOf = (latent: number) => (latent % 4 === 3 ? 0 : (latent * 5) % 9);
const denseLatent = 3;

/** Both passes over all latents, of which the first `kept` keep their gradient rows: what they leave. */
function bothPasses(kept: number) {
  const random = new Random(1, 'gradients');
  const fill = (view: Float32Array) => {
    view.set(Array.from(view, () => random.normal()));
  };
  const starts = [0];
  for (let i = 0; i < latents; i++) starts.push(starts[i]! + entriesOf(i));
  const entries = starts[latents]!;

  const plan = new MemoryPlan();
  const matrix = (count: number) => plan.float32(count * width);
  const startsAt = plan.int32(latents + 1);
  const entryRows = plan.int32(entries);
  const [entryValues, entryGradients] = [plan.float32(entries), plan.float32(entries)];
  const [residual, xc] = [matrix(rows), matrix(rows)];
  const encoder = [matrix(latents), matrix(latents), matrix(latents)] as const;
  const decoder = [matrix(latents), matrix(latents), matrix(latents)] as const;
  const denseSlot = plan.int32(latents);
  const [denseEncoder, denseDecoder] = [matrix(1), matrix(1)];
  const [scratch, gradients] = [matrix(2), matrix(2 * kept)];
  const norms = plan.float64(latents);
  const [biasGradient, encoderSum] = [plan.float32(latents), plan.float32(width)];
  const kernels = loadKernels(plan.allocate());

  startsAt.view.set(starts);
  entryRows.view.set(Array.from(entryRows.view, () => random.below(rows)));
  const data = [entryValues, entryGradients, residual, xc, denseEncoder, denseDecoder, ...encoder, ...decoder];
  for (const { view } of data) fill(view);
  for (const [, , { view }] of [encoder, decoder]) view.set(view.map(Math.abs));
  gradients.view.fill(NaN); // whatever is not written must not be read
  denseSlot.view.fill(-1);
  denseSlot.view[denseLatent] = 0;

  const sparse = [startsAt, entryRows, entryValues, entryGradients, residual, xc].map(({ address }) => address);
  const dense = [denseSlot, denseEncoder, denseDecoder].map(({ address }) => address);
  const place = [scratch.address, kept, gradients.address];
  const out = [norms, biasGradient, encoderSum].map(({ address }) => address);
  const parameters = [...encoder, ...decoder].map(({ address }) => address);
  const adam = [0.7, 1e-2, 0.9, 0.1, 0.999, 0.001, 1e-8];
  const first = [...sparse, encoder[0].address, decoder[0].address, ...dense, ...place, ...out, width, 0, latents];
  kernels.gradientNorms(...(first as Parameters<typeof kernels.gradientNorms>));
  const second = [...sparse, ...parameters, ...dense, ...place, width, ...adam, 0, latents];
  kernels.update(...(second as Parameters<typeof kernels.update>));
  return [norms, biasGradient, encoderSum, ...encoder, ...decoder].map(({ view }) => Array.from(view));
}

test('gradient rows that are kept for the update change nothing: the same bits as when they are formed twice', () => {
  const none = bothPasses(0);
  assert.ok(none.flat().every(Number.isFinite));
  for (const kept of [1, 10, latents]) assert.deepEqual(bothPasses(kept), none, `${kept} of ${latents}`);
});
