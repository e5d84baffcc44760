import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHalf, roundThroughHalf, toHalf } from '../../../src/engine/activations/half.js';
import { Random } from '../../../src/engine/random.js';

const allBits = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const allValues = fromHalf(allBits, new Float32Array(65536));

/** IEEE 754-2019, 3.4, straight from the text. */
function valueOf(bits: number): number {
  const sign = bits >>> 15 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * 2 ** -14 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction);
}

/** The nearest half of a finite number by search among all finite ones; of two equally near, the one with an even mantissa. */
function nearest(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  let low = 0;
  let high = 0x7bff;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (valueOf(middle) <= magnitude) low = middle;
    else high = middle;
  }
  const down = magnitude - valueOf(low);
  const up = valueOf(high) - magnitude;
  const chosen = down < up || (down === up && low % 2 === 0) ? low : high;
  return sign | chosen;
}

const half = (value: number) => toHalf(Float32Array.of(value), new Uint16Array(1))[0]!;

test('all 65536 halves have their exact value', () => {
  for (let bits = 0; bits < 65536; bits++) assert.ok(Object.is(allValues[bits], valueOf(bits)), `bits ${bits}`);
});

test('all 65536 halves survive the way to float and back', () => {
  const back = toHalf(allValues, new Uint16Array(65536));
  for (let bits = 0; bits < 65536; bits++) {
    if (Number.isNaN(valueOf(bits))) assert.ok(Number.isNaN(valueOf(back[bits]!)));
    else assert.equal(back[bits], bits);
  }
});

test('values between two halves go to the nearest, ties to the even one, over the whole range', () => {
  for (let bits = 0; bits < 0x7bff; bits += 7) {
    const low = valueOf(bits);
    const middle = (low + valueOf(bits + 1)) / 2;
    const step = Math.max(middle * 2 ** -23, 2 ** -149);
    for (const value of [middle, middle - step, middle + step].map(Math.fround)) {
      assert.equal(half(value), nearest(value), `${value}`);
      assert.equal(half(-value), nearest(-value), `${-value}`);
    }
  }
});

test('random floats of every magnitude are rounded as by search', () => {
  const random = new Random(1, 'half');
  const value = new Float32Array(1);
  const bits = new Uint32Array(value.buffer);
  for (let i = 0; i < 20_000; i++) {
    bits[0] = random.uint32();
    if (Number.isFinite(value[0])) assert.equal(half(value[0]!), nearest(value[0]!), `bits ${bits[0]}`);
  }
});

test('finite values beyond the range become the largest half, infinities and NaN stay', () => {
  for (const value of [65504, 65519, 65520, 65536, 1e10, 3.4e38]) {
    assert.equal(valueOf(half(value)), 65504);
    assert.equal(valueOf(half(-value)), -65504);
  }
  assert.equal(valueOf(half(Infinity)), Infinity);
  assert.equal(valueOf(half(-Infinity)), -Infinity);
  assert.ok(Number.isNaN(valueOf(half(NaN))));
});

test('rounding through half in place is what storing and reading gives', () => {
  const values = Float32Array.of(1 / 3, -1e-9, 70000, 2049);
  const stored = fromHalf(toHalf(values, new Uint16Array(4)), new Float32Array(4));
  assert.deepEqual(roundThroughHalf(values), stored);
  assert.deepEqual([...stored], [0.333251953125, -0, 65504, 2048]);
});
