import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../../../src/engine/random.js';
import { assign } from '../../../src/engine/evaluation/assignment.js';
import {
  cosines,
  meanCorrelation,
  meanMaxCosine,
  SyntheticActivations,
} from '../../../src/engine/evaluation/synthetic.js';

/** The least cost over all one-to-one assignments, by trying them all. */
function cheapest(cost: Float64Array, rows: number, columns: number, row = 0, taken = 0): number {
  if (row === rows) return 0;
  let best = Infinity;
  for (let column = 0; column < columns; column++) {
    if (taken & (1 << column)) continue;
    best = Math.min(
      best,
      cost[row * columns + column]! + cheapest(cost, rows, columns, row + 1, taken | (1 << column)),
    );
  }
  return best;
}

describe('the Hungarian assignment', () => {
  it('is one-to-one and as cheap as the best of all assignments', () => {
    const random = new Random(1, 'assignment');
    for (let trial = 0; trial < 300; trial++) {
      const rows = 1 + random.below(6);
      const columns = rows + random.below(8 - rows);
      // Whole numbers make ties, negative ones are what cosines need.
      const whole = trial % 2 === 0;
      const draw = () => (whole ? random.below(5) - 2 : random.normal());
      const cost = Float64Array.from({ length: rows * columns }, draw);
      const columnOf = assign(cost, rows, columns);
      assert.equal(new Set(columnOf).size, rows);
      const total = columnOf.reduce((sum, column, row) => sum + cost[row * columns + column]!, 0);
      assert.ok(Math.abs(total - cheapest(cost, rows, columns)) < 1e-9, `trial ${trial}`);
    }
  });

  it('finds a permutation among hundreds', () => {
    const size = 200;
    const random = new Random(2, 'assignment');
    const hidden = Array.from({ length: size }, (_, i) => i);
    for (let i = size - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [hidden[i], hidden[j]] = [hidden[j]!, hidden[i]!];
    }
    const cost = Float64Array.from({ length: size * size }, () => random.float());
    hidden.forEach((column, row) => (cost[row * size + column] = -1));
    assert.deepEqual(Array.from(assign(cost, size, size)), hidden);
  });

  it('refuses more rows than columns', () => {
    assert.throws(() => assign(new Float64Array(6), 3, 2), RangeError);
    assert.throws(() => assign(new Float64Array(5), 2, 3), RangeError);
  });
});

describe('synthetic activations', () => {
  const shape = { features: 16, width: 32, probability: 1 / 8, seed: 4 };

  it('are sums of unit directions, each on as often and as strongly as said', () => {
    // One feature alone shows its magnitudes.
    const single = new SyntheticActivations({ ...shape, features: 1 });
    const rows = 20000;
    const x = single.sample(rows);
    let on = 0;
    let sum = 0;
    let squares = 0;
    for (let b = 0; b < rows; b++) {
      let magnitude = 0;
      for (let j = 0; j < 32; j++) magnitude += x[b * 32 + j]! * single.directions[j]!;
      if (magnitude === 0) continue;
      const norm = Math.hypot(...x.subarray(b * 32, (b + 1) * 32));
      assert.ok(Math.abs(norm - magnitude) < 1e-6, 'along the direction, and positive');
      on++;
      sum += magnitude;
      squares += magnitude ** 2;
    }
    assert.ok(Math.abs(on / rows - 1 / 8) < 0.01);
    assert.ok(Math.abs(sum / on - 1) < 0.02);
    assert.ok(Math.abs(Math.sqrt(squares / on - (sum / on) ** 2) - 0.25) < 0.02);
    for (let i = 0; i < 16; i++) {
      const { directions } = new SyntheticActivations(shape);
      assert.ok(Math.abs(Math.hypot(...directions.subarray(i * 32, (i + 1) * 32)) - 1) < 1e-6);
    }
  });

  it('are the same for the same seed and others for another', () => {
    const draw = (seed: number) => new SyntheticActivations({ ...shape, seed }).sample(50);
    assert.deepEqual(draw(4), draw(4));
    assert.notDeepEqual(draw(4), draw(5));
    const whole = new SyntheticActivations(shape);
    assert.deepEqual(Float32Array.of(...whole.sample(20), ...whole.sample(30)), draw(4));
  });
});

describe('the recovery of known directions', () => {
  const { directions } = new SyntheticActivations({ features: 6, width: 10, probability: 1, seed: 3 });
  const shuffled = (sign: number, scale = 1) => {
    const order = [3, 0, 5, 1, 4, 2];
    return Float32Array.from({ length: 60 }, (_, at) => {
      const i = Math.floor(at / 10);
      return (i === 2 ? sign : 1) * scale * directions[order[i]! * 10 + (at % 10)]!;
    });
  };

  it('is complete for a shuffled copy of them, whatever its norms', () => {
    assert.ok(Math.abs(meanMaxCosine(directions, shuffled(1, 3), 10) - 1) < 1e-6);
    assert.ok(Math.abs(meanCorrelation(directions, shuffled(1, 3), 10) - 1) < 1e-6);
  });

  it('counts a reversed direction in the correlation but not in the signed cosine', () => {
    assert.ok(Math.abs(meanCorrelation(directions, shuffled(-1), 10) - 1) < 1e-6);
    assert.ok(meanMaxCosine(directions, shuffled(-1), 10) < 0.99);
  });

  it('does not count a decoder row twice in the correlation', () => {
    const twice = Float32Array.of(...directions.subarray(0, 10), ...directions.subarray(0, 10));
    const two = Float32Array.of(1, 0, 1, 0);
    assert.equal(meanCorrelation(two, Float32Array.of(1, 0, 0, 1), 2), 0.5);
    assert.equal(meanMaxCosine(two, Float32Array.of(1, 0, 0, 1), 2), 1);
    assert.ok(meanCorrelation(twice, directions, 10) < 1);
  });

  it('is a mean over the fewer of true features and latents', () => {
    const three = shuffled(1).subarray(0, 30);
    assert.ok(Math.abs(meanCorrelation(directions, three, 10) - 1) < 1e-6);
    assert.ok(Math.abs(meanCorrelation(three, directions, 10) - 1) < 1e-6);
  });

  it('gives a zero row cosine 0', () => {
    assert.deepEqual(Array.from(cosines(Float32Array.of(3, 4), Float32Array.of(0, 0, -6, -8), 2)), [0, -1]);
  });
});
