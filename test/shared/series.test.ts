import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../src/engine/random.js';
import {
  mostPoints,
  SeriesBuilder,
  seriesNames,
  withPart,
  type Series,
  type SeriesLine,
  type SeriesPart,
} from '../../src/shared/series.js';
import { repeats } from '../soak.js';

const random = new Random(7, 'series');
const whole = (most: number) => random.below(most + 1);

function line(index: number): SeriesLine {
  const value = () => (random.float() < 0.1 ? null : random.normal());
  const metrics = { train_loss: value(), l0: value(), explained_variance: value(), dead_features: whole(9) };
  return { step: 10 * (index + 1), tokens: 20480 * (index + 1), tokens_per_second: value(), metrics };
}
const lines = (count: number) => Array.from({ length: count }, (_, i) => line(i));

function partOf(all: readonly SeriesLine[]): SeriesPart {
  const builder = new SeriesBuilder();
  for (const each of all) builder.add(each);
  return builder.take();
}
const seriesOf = (all: readonly SeriesLine[]): Series => partOf(all).series;

/** The definition of a series, word by word. */
function byDefinition(all: readonly SeriesLine[]): Series {
  let stride = 1;
  while (all.length > mostPoints * stride) stride *= 2;
  const points = Array.from({ length: Math.ceil(all.length / stride) }, (_, i) =>
    all.slice(i * stride, (i + 1) * stride),
  );
  const mean = (name: (typeof seriesNames)[number]) => (point: SeriesLine[]) => {
    const values = point
      .map((each) => (name === 'tokens_per_second' ? each.tokens_per_second : each.metrics[name]))
      .filter((value) => value !== null);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return {
    stride,
    step: points.map((point) => point.at(-1)!.step),
    tokens: points.map((point) => point.at(-1)!.tokens),
    values: Object.fromEntries(seriesNames.map((name) => [name, points.map(mean(name))])) as Series['values'],
  };
}

/** Equal but for the rounding of sums taken in another order. */
function assertClose(actual: Series, expected: Series): void {
  assert.deepEqual({ ...actual, values: null }, { ...expected, values: null });
  for (const name of seriesNames) {
    assert.equal(actual.values[name].length, expected.values[name].length);
    for (const [i, value] of actual.values[name].entries()) {
      const other = expected.values[name][i] ?? null;
      if (value === null || other === null) assert.equal(value, other);
      else assert.ok(Math.abs(value - other) < 1e-9, `${name}[${i}] is ${value}, expected ${other}`);
    }
  }
}

test('a series is the means over strides that depend on the number of lines alone', () => {
  for (const count of [0, 1, 2, 511, 512, 513, 514, 1023, 1024, 1025, 2049, 5000]) {
    const all = lines(count);
    assertClose(seriesOf(all), byDefinition(all));
  }
});

test('parts put together as lines come give exactly what a fresh reading gives', () => {
  for (let round = 0; round < repeats(5, 500); round++) {
    const all = lines(whole(3000));
    const builder = new SeriesBuilder();
    let received = withPart(seriesOf([]), builder.take());
    for (let read = 0; read < all.length;) {
      const next = Math.min(all.length, read + 1 + whole(random.float() < 0.5 ? 3 : 700));
      for (const each of all.slice(read, next)) builder.add(each);
      read = next;
      received = withPart(received, builder.take());
      assert.deepEqual(received, seriesOf(all.slice(0, read)));
    }
  }
});

test('a part begins at the first point that has changed', () => {
  const builder = new SeriesBuilder();
  const add = (count: number) => {
    for (const each of lines(count)) builder.add(each);
    const { start, series } = builder.take();
    return [start, series.step.length, series.stride];
  };
  assert.deepEqual(add(0), [0, 0, 1]);
  assert.deepEqual(add(512), [0, 512, 1]);
  assert.deepEqual(add(0), [512, 0, 1]);
  // One more line and every two points become one.
  assert.deepEqual(add(1), [0, 257, 2]);
  assert.deepEqual(add(1), [256, 1, 2]);
  assert.deepEqual(add(3), [257, 2, 2]);
  assert.deepEqual(add(0), [259, 0, 2]);
});

test('however many lines there are, a series has a bounded number of points and all of the run', () => {
  const all = lines(100_000);
  const { step, stride } = seriesOf(all);
  assert.equal(stride, 256);
  assert.ok(step.length > mostPoints / 2 && step.length <= mostPoints);
  assert.equal(step.at(-1), 1_000_000);
});
