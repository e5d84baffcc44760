import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSession, ort } from '../../../src/engine/ort.js';
import { Random } from '../../../src/engine/random.js';
import { candidatesGraph } from '../../../src/engine/sae/graphs.js';

const [rows, width] = [40, 24];

for (const [latents, candidates, how] of [
  [999, 22, 'all are looked through'],
  [1000, 22, 'in groups of 8'],
  [1024, 22, 'in groups of 16'],
  [4096, 48, 'in groups of 32'],
] as const) {
  test(`the candidates are the latents with the largest approximations: ${how}`, async () => {
    const random = new Random(latents, 'graphs');
    const x = Uint8Array.from({ length: rows * width }, () => 64 + random.below(128));
    x.fill(128, 0, width); // a row of zeros: only biases
    const encoder = Int8Array.from({ length: width * latents }, () => random.below(127) - 63);
    for (let j = 0; j < width; j++) encoder.copyWithin(j * latents + 1, j * latents, j * latents + 1); // twins
    const scales = Float32Array.from({ length: latents }, () => 0.01 + 0.01 * Math.abs(random.normal()));
    const bias = Float32Array.from({ length: latents }, () => random.normal());
    [scales[1], bias[1]] = [scales[0]!, bias[0]!];
    const session = await createSession(candidatesGraph(width, latents, candidates), 2);
    const { indices } = await session.run({
      rows: new ort.Tensor('uint8', x, [rows, width]),
      encoder: new ort.Tensor('int8', encoder, [width, latents]),
      scales: new ort.Tensor('float32', scales, [latents]),
      bias: new ort.Tensor('float32', bias, [latents]),
    });
    await session.release();
    for (let row = 0; row < rows; row++) {
      const h = Array.from({ length: latents }, (_, i) => {
        let sum = 0;
        for (let j = 0; j < width; j++) sum += (x[row * width + j]! - 128) * encoder[j * latents + i]!;
        return scales[i]! * sum + bias[i]!;
      });
      const chosen = new Set((indices!.data as Int32Array).subarray(row * candidates, (row + 1) * candidates));
      assert.equal(chosen.size, candidates);
      const least = Math.min(...[...chosen].map((i) => h[i]!));
      const largestLeftOut = Math.max(...h.filter((_, i) => !chosen.has(i)));
      assert.ok(least >= largestLeftOut - 1e-4, `row ${row}: ${least} is chosen, ${largestLeftOut} is not`);
    }
  });
}
