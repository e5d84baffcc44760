import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../../src/engine/random.js';
import { dealHeldOut } from '../../../src/engine/text/held-out.js';

function share(rows: number[], held: Uint8Array): number {
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  return sum(rows.filter((_, i) => held[i] === 1)) / sum(rows);
}

test('the part held out is close to the part asked for, however documents differ in length', () => {
  const random = new Random(1, 'lengths');
  for (const fraction of [0.02, 0.1, 0.35, 0.9]) {
    for (let seed = 0; seed < 20; seed++) {
      const rows = Array.from({ length: 300 }, () => Math.ceil(Math.exp(2 * random.normal() + 3)));
      assert.ok(
        Math.abs(share(rows, dealHeldOut(rows, fraction, seed)) - fraction) < 0.03,
        `${fraction}, seed ${seed}`,
      );
    }
  }
});

test('of two documents one is held out and one is not, however small the part asked for', () => {
  for (const rows of [
    [5, 5],
    [1, 1000],
    [1000, 1],
    [0, 3, 0, 4],
  ]) {
    for (const fraction of [0.001, 0.1, 0.9]) {
      const held = dealHeldOut(rows, fraction, 3);
      assert.equal(
        held.reduce((a, b) => a + b, 0),
        1,
      );
      assert.ok(rows[held.indexOf(1)]! > 0);
    }
  }
});

test('nothing is held out of one document, of none, or if nothing is asked for', () => {
  for (const [rows, fraction] of [
    [[9], 0.5],
    [[], 0.5],
    [[0, 7], 0.5],
    [[4, 4, 4], 0],
  ] as const) {
    assert.ok(dealHeldOut(rows, fraction, 0).every((value) => value === 0));
  }
});

test('the deal depends on the seed and on nothing else', () => {
  const rows = Array.from({ length: 100 }, () => 10);
  assert.deepEqual(dealHeldOut(rows, 0.3, 1), dealHeldOut(rows, 0.3, 1));
  assert.notDeepEqual(dealHeldOut(rows, 0.3, 1), dealHeldOut(rows, 0.3, 2));
});
