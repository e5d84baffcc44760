import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busyAt, callAt, nextAt } from '../../../src/engine/kernels/assembly/control.js';
import { loadKernels } from '../../../src/engine/kernels/kernels.js';
import { MemoryPlan } from '../../../src/engine/kernels/memory.js';
import { KernelPool } from '../../../src/engine/kernels/pool.js';
import { Random } from '../../../src/engine/random.js';
import { controlBytes } from '../../../src/shared/memory.js';

const random = new Random(4, 'kernels');
const normals = (length: number) => Float32Array.from({ length }, () => random.normal());

test('latents become int8 columns, each with its own scale, whatever the shape', () => {
  for (const [n, d] of [
    [16, 4],
    [33, 7],
    [64, 30],
    [5, 3],
    [100, 1],
  ] as const) {
    const plan = new MemoryPlan();
    const w = plan.float32(n * d);
    const q = plan.uint8(n * d);
    const scales = plan.float32(n);
    const kernels = loadKernels(plan.allocate());
    w.view.set(normals(n * d));
    w.view.fill(0, d, 2 * d); // a latent of zeros
    kernels.quantizeLatents(w.address, d, n, 63, q.address, scales.address, 0, 16);
    kernels.quantizeLatents(w.address, d, n, 63, q.address, scales.address, Math.min(16, n), n);
    const int8 = new Int8Array(q.view.buffer, q.address, n * d);
    for (let i = 0; i < n; i++) {
      const row = w.view.subarray(i * d, (i + 1) * d);
      const most = row.reduce((size, value) => Math.max(size, Math.abs(value)), 0);
      assert.ok(Math.abs(scales.view[i]! - most / 63) <= 1e-6 * most);
      for (let j = 0; j < d; j++) {
        const exact = most === 0 ? 0 : (row[j]! * 63) / most;
        assert.ok(Math.abs(int8[j * n + i]! - exact) <= 0.5001, `latent ${i} of ${n}, ${j} of ${d}`);
      }
    }
  }
});

test('rows become uint8 around 128, cut off at its ends', () => {
  const plan = new MemoryPlan();
  const [rows, d] = [5, 13];
  const x = plan.float32(rows * d);
  const q = plan.uint8(rows * d);
  const kernels = loadKernels(plan.allocate());
  x.view.set(normals(rows * d).map((value) => 100 * value));
  x.view.set([0, 1e6, -1e6, 0.49, 0.51, -0.51]);
  for (let row = 0; row < rows; row++) kernels.quantizeRows(x.address, d, 1, q.address, row, row + 1);
  for (const [i, value] of x.view.entries()) {
    const wanted = Math.min(255, Math.max(0, 128 + value));
    assert.ok(Math.abs(q.view[i]! - wanted) <= 0.5001, `${value} became ${q.view[i]}`);
  }
});

for (const k of [1, 8, 9, 10, 23]) {
  test(`of the candidates the ${k} with the largest exact pre-activations are kept, of equal ones too no more`, () => {
    const [rows, d, n, candidates] = [9, 6, 40, 23];
    const plan = new MemoryPlan();
    const xc = plan.float32(rows * d);
    const encoder = plan.float32(n * d);
    const bias = plan.float32(n);
    const latents = plan.int32(rows * candidates);
    const values = plan.float32(rows * k);
    const indices = plan.int32(rows * k);
    const scratch = plan.float32(4 * Math.ceil(candidates / 4));
    const kernels = loadKernels(plan.allocate());
    xc.view.set(normals(rows * d));
    xc.view.fill(0, 0, d); // every pre-activation of the first row is the bias: four of its candidates after the other are equal
    encoder.view.set(normals(n * d));
    bias.view.set(Float32Array.from({ length: n }, (_, i) => ((((23 * i) % n) >> 2) % 3) / 4));
    for (let row = 0; row < rows; row++) {
      const order = Array.from({ length: n }, (_, i) => (7 * i + row) % n);
      latents.view.set(order.slice(0, candidates), row * candidates);
    }
    kernels.rank(
      xc.address,
      d,
      encoder.address,
      bias.address,
      latents.address,
      candidates,
      k,
      values.address,
      indices.address,
      scratch.address,
      0,
      rows,
    );
    for (let row = 0; row < rows; row++) {
      const h = (latent: number) => {
        let sum = bias.view[latent]!;
        for (let j = 0; j < d; j++) sum += xc.view[row * d + j]! * encoder.view[latent * d + j]!;
        return sum;
      };
      const all = [...latents.view.subarray(row * candidates, (row + 1) * candidates)].map(h).sort((a, b) => b - a);
      const kept = [...indices.view.subarray(row * k, (row + 1) * k)];
      assert.equal(new Set(kept).size, k);
      const found = kept.map(h).sort((a, b) => b - a);
      for (const [i, value] of found.entries()) assert.ok(Math.abs(value - all[i]!) < 1e-5);
      for (const [i, latent] of kept.entries()) assert.ok(Math.abs(values.view[row * k + i]! - h(latent)) < 1e-5);
    }
  });
}

test('of pre-activations that are no numbers no more are kept than asked for', () => {
  const [rows, d, n, candidates, k] = [2, 4, 16, 12, 3];
  const plan = new MemoryPlan();
  const [xc, encoder, bias] = [plan.float32(rows * d), plan.float32(n * d), plan.float32(n)];
  const latents = plan.int32(rows * candidates);
  const [values, indices] = [plan.float32(rows * k + candidates), plan.int32(rows * k + candidates)];
  const scratch = plan.float32(4 * Math.ceil(candidates / 4));
  const kernels = loadKernels(plan.allocate());
  xc.view.fill(NaN);
  latents.view.set(latents.view.map((_, i) => i % candidates));
  const addresses = [encoder, bias, latents].map(({ address }) => address) as [number, number, number];
  const results = [values, indices, scratch].map(({ address }) => address) as [number, number, number];
  kernels.rank(xc.address, d, ...addresses, candidates, k, ...results, 0, rows);
  const [kept, beyond] = [values.view.subarray(0, rows * k), values.view.subarray(rows * k)];
  assert.ok(kept.every(Number.isNaN));
  assert.ok(beyond.every((value) => value === 0));
});

test('latents above a row’s threshold are counted, whatever the shape', () => {
  for (const [rows, n, d] of [
    [3, 8, 16],
    [2, 7, 5],
  ] as const) {
    const plan = new MemoryPlan();
    const [xc, encoder, bias] = [plan.float32(rows * d), plan.float32(n * d), plan.float32(n)];
    const [thresholds, counts] = [plan.float32(rows), plan.int32(rows)];
    const kernels = loadKernels(plan.allocate());
    for (const { view } of [xc, encoder, bias]) view.set(normals(view.length));
    thresholds.view.set(normals(rows));
    counts.view.fill(99);
    const addresses = [encoder, bias, thresholds, counts].map(({ address }) => address) as [
      number,
      number,
      number,
      number,
    ];
    kernels.countAbove(xc.address, rows, d, ...addresses, 1, n);
    for (let row = 0; row < rows; row++) {
      let above = 0;
      for (let latent = 1; latent < n; latent++) {
        let h = bias.view[latent]!;
        for (let j = 0; j < d; j++) h += xc.view[row * d + j]! * encoder.view[latent * d + j]!;
        if (h > thresholds.view[row]!) above++;
      }
      assert.equal(counts.view[row], above);
    }
  }
});

test('threads share a call: every range is computed once, with its own output and its thread’s own scratch', async () => {
  const [rows, d] = [1000, 8];
  const plan = new MemoryPlan();
  const x = plan.float32(rows * d);
  const sums = plan.float64(100);
  const control = plan.uint8(controlBytes);
  const memory = plan.allocate({ shared: true });
  x.view.set(normals(rows * d));
  const cuts = Array.from({ length: 101 }, (_, i) => 10 * i);
  const pool = await KernelPool.create(memory, control.address, 4);
  try {
    for (let round = 0; round < 50; round++) {
      sums.view.fill(0);
      pool.run({ kernel: 'sumOfSquares', args: [x.address, d, sums.address], cuts, rangeBytes: 8 });
      const again = sums.view.slice();
      for (let i = 0; i < 100; i++) {
        pool.kernels.sumOfSquares(x.address, d, sums.address, cuts[i]!, cuts[i + 1]!);
        assert.equal(again[i], sums.view[0]);
      }
    }
  } finally {
    await pool.dispose();
  }
});

test('a helper that is woken without a call goes back to sleep', async () => {
  const [rows, d] = [8, 4];
  const plan = new MemoryPlan();
  const x = plan.float32(rows * d);
  const sums = plan.float64(rows);
  const control = plan.uint8(controlBytes);
  const memory = plan.allocate({ shared: true });
  x.view.fill(1);
  const cuts = Array.from({ length: rows + 1 }, (_, i) => i);
  const words = new Int32Array(memory.buffer, control.address, 4);
  const wakeHelper = (): void => {
    while (Atomics.notify(words, callAt / 4) === 0); // until it sleeps
  };
  const pool = await KernelPool.create(memory, control.address, 2);
  for (let call = 0; call < 100; call++) {
    sums.view.fill(0);
    pool.run({ kernel: 'sumOfSquares', args: [x.address, d, sums.address], cuts, rangeBytes: 8 });
    assert.deepEqual([...sums.view], Array<number>(rows).fill(d));
    // as a notification does that comes when its call has long been computed; the second one finds it asleep again
    wakeHelper();
    wakeHelper();
    // every thread has found once that no range is left
    assert.deepEqual([words[nextAt / 4], words[busyAt / 4]], [rows + 2, 0]);
  }
  await pool.dispose();
});

test('a helper that fails says why, and the pool still closes', async () => {
  const [rows, d, n, candidates] = [512, 64, 64, 16];
  const plan = new MemoryPlan();
  const [xc, encoder] = [plan.float32(rows * d), plan.float32(n * d)];
  const [bias, latents] = [plan.float32(n), plan.int32(rows * candidates)];
  const [values, indices] = [plan.float32(rows), plan.int32(rows)];
  const scratch = plan.float32(4 * Math.ceil(candidates / 4));
  const control = plan.uint8(controlBytes);
  const memory = plan.allocate({ shared: true });
  const pool = await KernelPool.create(memory, control.address, 2);
  const addresses = [encoder, bias, latents].map(({ address }) => address);
  const results = [values, indices, scratch].map(({ address }) => address);
  const call = {
    kernel: 'rank',
    args: [xc.address, d, ...addresses, candidates, 1, ...results],
    cuts: [0, 128, 256, 384, rows],
    threadBytes: memory.buffer.byteLength, // only the helper's scratch lies outside
  } as const;
  assert.throws(() => {
    for (let i = 0; i < 10_000; i++) pool.run(call); // until the helper is awake before all is done
  }, /^Error: the kernel rank failed in another thread: RuntimeError: memory access out of bounds\n/);
  await pool.dispose();
});
