import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash32, Random } from '../../src/engine/random.js';

const draw = (random: Random, count: number) => Array.from({ length: count }, () => random.uint32());

test('the same seed and stream give the same numbers, another seed or stream gives others', () => {
  const first = draw(new Random(7, 'shuffle'), 8);
  assert.deepEqual(draw(new Random(7, 'shuffle'), 8), first);
  assert.notDeepEqual(draw(new Random(8, 'shuffle'), 8), first);
  assert.notDeepEqual(draw(new Random(7, 'decoder'), 8), first);
  assert.notDeepEqual(draw(new Random(7 + 2 ** 32, 'shuffle'), 8), first);
});

test('the numbers never change between versions, since runs are resumed and repeated by them', () => {
  assert.deepEqual(draw(new Random(0, 'shuffle 0'), 4), [2700423080, 1674682900, 1764585032, 2012528094]);
  assert.deepEqual([hash32(0, 'held out'), hash32(123456789012345, 42)], [4131743831, 997263676]);
});

test('a restored generator goes on exactly, also between the two normals of a pair', () => {
  for (const before of [0, 1, 2, 5]) {
    const random = new Random(3, 'normals');
    for (let i = 0; i < before; i++) random.normal();
    const restored = Random.restore(JSON.parse(JSON.stringify(random.state())) as number[]);
    for (let i = 0; i < 5; i++) assert.equal(restored.normal(), random.normal());
    assert.equal(restored.uint32(), random.uint32());
  }
});

test('floats are uniform over [0, 1)', () => {
  const random = new Random(1, 'floats');
  const bins = new Array<number>(20).fill(0);
  for (let i = 0; i < 200_000; i++) {
    const value = random.float();
    assert.ok(value >= 0 && value < 1);
    bins[Math.floor(value * 20)]!++;
  }
  assert.ok(chiSquared(bins) < 43.8, `χ² of 19 degrees of freedom is ${chiSquared(bins)}, above the 99.9 % quantile`);
});

test('below(n) gives every whole number under n equally often, for an n that does not divide 2³²', () => {
  const random = new Random(1, 'below');
  const bins = new Array<number>(7).fill(0);
  for (let i = 0; i < 70_000; i++) bins[random.below(7)]!++;
  assert.ok(chiSquared(bins) < 22.5, `χ² of 6 degrees of freedom is ${chiSquared(bins)}, above the 99.9 % quantile`);
  // Two thirds of 2³²: without rejection the lower half would come twice as often as the upper one.
  const n = Math.floor((2 ** 32 * 2) / 3);
  const low = Array.from({ length: 20_000 }, () => random.below(n)).filter((value) => value < n / 2).length;
  assert.ok(Math.abs(low - 10_000) < 330, `${low} of 20000 lie in the lower half`);
});

test('normals have mean 0, variance 1 and the tails of a normal distribution', () => {
  const random = new Random(1, 'normal');
  let sum = 0;
  let squares = 0;
  let beyondTwo = 0;
  const count = 200_000;
  for (let i = 0; i < count; i++) {
    const value = random.normal();
    sum += value;
    squares += value * value;
    if (Math.abs(value) > 2) beyondTwo++;
  }
  assert.ok(Math.abs(sum / count) < 0.01);
  assert.ok(Math.abs(squares / count - 1) < 0.015);
  assert.ok(Math.abs(beyondTwo / count - 0.0455) < 0.002);
});

function chiSquared(bins: readonly number[]): number {
  const expected = bins.reduce((sum, count) => sum + count, 0) / bins.length;
  return bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
