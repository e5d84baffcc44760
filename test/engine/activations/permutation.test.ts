import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochKey, permute } from '../../../src/engine/activations/permutation.js';

const order = (n: number, key: number) => Array.from({ length: n }, (_, i) => permute(i, n, key));

test('every position is hit exactly once, for every size', () => {
  for (const n of [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 257, 1000, 4096, 4097, 20_000]) {
    const seen = new Uint8Array(n);
    for (const at of order(n, epochKey(n, 1))) seen[at]!++;
    assert.ok(
      seen.every((count) => count === 1),
      `n = ${n}`,
    );
  }
});

test('large sizes stay in range and differ', () => {
  const n = 2 ** 40 + 12345;
  const points = Array.from({ length: 1000 }, (_, i) => permute(i, n, 99));
  assert.equal(new Set(points).size, 1000);
  assert.ok(points.every((point) => Number.isInteger(point) && point >= 0 && point < n));
  const upper = points.filter((point) => point >= n / 2).length;
  assert.ok(Math.abs(upper - 500) < 80, `${upper} of 1000 lie in the upper half`);
});

test('each epoch has an order of its own, the same every time', () => {
  const first = order(500, epochKey(0, 0));
  assert.deepEqual(order(500, epochKey(0, 0)), first);
  for (const other of [epochKey(0, 1), epochKey(1, 0)]) {
    const same = order(500, other).filter((at, i) => at === first[i]).length;
    assert.ok(same < 10, `${same} of 500 positions agree`);
  }
});

test('neighbours do not stay neighbours, and no position prefers a value', () => {
  const n = 1000;
  const shuffled = order(n, epochKey(5, 5));
  const neighbours = shuffled.filter((at, i) => i > 0 && Math.abs(at - shuffled[i - 1]!) === 1).length;
  assert.ok(neighbours < 12, `${neighbours} neighbours stayed`);
  const counts = new Array<number>(10).fill(0);
  for (let key = 0; key < 5000; key++) counts[permute(3, 10, epochKey(key, 0))]!++;
  const chiSquared = counts.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0);
  assert.ok(chiSquared < 27.9, `χ² of 9 degrees of freedom is ${chiSquared}, above the 99.9 % quantile`);
});

test('a position outside is refused', () => {
  for (const [i, n] of [
    [5, 5],
    [-1, 5],
    [0.5, 5],
    [0, 0],
    [0, 2 ** 53],
  ] as const) {
    assert.throws(() => permute(i, n, 1), RangeError);
  }
});
