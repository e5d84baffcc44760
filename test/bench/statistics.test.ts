import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurns, median, ratioSpread, spread } from '../../bench/statistics.js';

test('the median is the middle value, or the mean of the two in the middle, whatever the order', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([10, 9, 2, 1]), 5.5);
});

test('a spread leaves the measurements in their order', () => {
  const values = [3, 1, 2];
  assert.deepEqual(spread(values), { median: 2, least: 1, greatest: 3, count: 3 });
  assert.deepEqual(values, [3, 1, 2]);
});

test('ratios are those of neighbours: what slows both down cancels', () => {
  const slowed = [1, 1, 10, 1, 1];
  const [a, b] = [slowed.map((factor) => 6 * factor), slowed.map((factor) => 2 * factor)];
  assert.deepEqual(ratioSpread(a, b), { median: 3, least: 3, greatest: 3, count: 5 });
  assert.throws(() => ratioSpread([1], [1, 2]), /no pairs/);
});

test('measures take turns, and rounds that warm up are not counted', async () => {
  const order: string[] = [];
  const measure = (name: string) => () => {
    order.push(name);
    return Promise.resolve(order.length);
  };
  const results = await inTurns([measure('a'), measure('b')], { rounds: 2, warmUp: 1 });
  assert.deepEqual(order, ['a', 'b', 'a', 'b', 'a', 'b']);
  assert.deepEqual(results, [
    [3, 5],
    [4, 6],
  ]);
});
