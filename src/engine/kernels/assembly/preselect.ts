// The encoder's candidates from an int8 product, and their exact pre-activations. The product itself is ONNX Runtime's; here
// are what goes into it and what comes after it. Matrices are row-major; every argument is as in index.ts.

import { dot, dot4 } from './vector';

/** 1.5·2²³: added to a float32 of less than 2²² in size, it leaves the nearest integer in the low bits. */
// @ts-ignore: decorator
@inline
const magic: f32 = 12582912.0;

/** The greatest |x_i|. */
// @ts-ignore: decorator
@inline
function largest(x: usize, d: i32): f32 {
  const bytes = (<usize>d) << 2;
  const whole = bytes & ~15;
  let most = f32x4.splat(0);
  let i: usize = 0;
  // pmax: one instruction; max would take a dozen, for what is no number
  for (; i < whole; i += 16) most = f32x4.pmax(most, f32x4.abs(v128.load(x + i)));
  let result = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  for (; i < bytes; i += 4) result = max(result, abs(load<f32>(x + i)));
  return result;
}

/** a·x rounded to the nearest integers, four at a time. */
// @ts-ignore: decorator
@inline
function rounded(x: usize, a: v128): v128 {
  const vm = f32x4.splat(magic);
  return i32x4.sub(f32x4.add(f32x4.mul(v128.load(x), a), vm), vm);
}

/**
 * Latents [from, to) of w [n, d] as columns of q, int8 [d, n]: q[j, i] = round(w[i, j]/scales[i]), with scales[i] such that the
 * row's largest value becomes `range`. from is a multiple of 16.
 */
export function quantizeLatents(w: usize, d: i32, n: i32, range: f32, q: usize, scales: usize, from: i32, to: i32): void {
  const bytes = (<usize>d) << 2;
  let i = from;
  for (; i + 16 <= to; i += 16) {
    for (let r = i; r < i + 16; r++) {
      store<f32>(scales + ((<usize>r) << 2), largest(w + <usize>r * bytes, d) / range);
    }
    let j = 0;
    for (; j + 4 <= d; j += 4) {
      const base = w + <usize>i * bytes + ((<usize>j) << 2);
      const s = scales + ((<usize>i) << 2);
      const out = q + <usize>j * n + i;
      // Four rows at a time are turned into columns; four such groups make 16 bytes of each of the four columns.
      let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
      let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
      let c0 = a0, c1 = a0, c2 = a0, c3 = a0;
      let d0 = a0, d1 = a0, d2 = a0, d3 = a0;
      for (let g: usize = 0; g < 4; g++) {
        const p = base + g * 4 * bytes;
        const t = s + (g << 4);
        const r0 = rounded(p, inverse(load<f32>(t)));
        const r1 = rounded(p + bytes, inverse(load<f32>(t, 4)));
        const r2 = rounded(p + bytes * 2, inverse(load<f32>(t, 8)));
        const r3 = rounded(p + bytes * 3, inverse(load<f32>(t, 12)));
        const x0 = i32x4.shuffle(r0, r1, 0, 4, 1, 5);
        const x1 = i32x4.shuffle(r2, r3, 0, 4, 1, 5);
        const x2 = i32x4.shuffle(r0, r1, 2, 6, 3, 7);
        const x3 = i32x4.shuffle(r2, r3, 2, 6, 3, 7);
        const y0 = i64x2.shuffle(x0, x1, 0, 2);
        const y1 = i64x2.shuffle(x0, x1, 1, 3);
        const y2 = i64x2.shuffle(x2, x3, 0, 2);
        const y3 = i64x2.shuffle(x2, x3, 1, 3);
        if (g == 0) { a0 = y0; b0 = y1; c0 = y2; d0 = y3; }
        else if (g == 1) { a1 = y0; b1 = y1; c1 = y2; d1 = y3; }
        else if (g == 2) { a2 = y0; b2 = y1; c2 = y2; d2 = y3; }
        else { a3 = y0; b3 = y1; c3 = y2; d3 = y3; }
      }
      v128.store(out, packed(a0, a1, a2, a3));
      v128.store(out + n, packed(b0, b1, b2, b3));
      v128.store(out + ((<usize>n) << 1), packed(c0, c1, c2, c3));
      v128.store(out + <usize>n * 3, packed(d0, d1, d2, d3));
    }
    for (; j < d; j++) for (let r = i; r < i + 16; r++) quantizeOne(w, d, n, q, scales, r, j);
  }
  for (; i < to; i++) {
    store<f32>(scales + ((<usize>i) << 2), largest(w + <usize>i * bytes, d) / range);
    for (let j = 0; j < d; j++) quantizeOne(w, d, n, q, scales, i, j);
  }
}

// @ts-ignore: decorator
@inline
function inverse(scale: f32): v128 {
  return f32x4.splat(scale > 0 ? 1 / scale : 0);
}

// @ts-ignore: decorator
@inline
function packed(a: v128, b: v128, c: v128, e: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, e));
}

// @ts-ignore: decorator
@inline
function quantizeOne(w: usize, d: i32, n: i32, q: usize, scales: usize, i: i32, j: i32): void {
  const scale = load<f32>(scales + ((<usize>i) << 2));
  const value = scale > 0 ? load<f32>(w + ((<usize>i * d + j) << 2)) * (1 / scale) : 0;
  store<i8>(q + <usize>j * n + i, <i8>(<i32>nearest(value)));
}

/** Rows [from, to) of x [rows, d] as uint8 around 128: q = 128 + round(x/scale), cut off at 0 and 255. */
export function quantizeRows(x: usize, d: i32, scale: f32, q: usize, from: i32, to: i32): void {
  const a = f32x4.splat(1 / scale);
  const middle = i16x8.splat(128);
  const end = <usize>to * d;
  let e = <usize>from * d;
  for (; e + 16 <= end; e += 16) {
    const p = x + (e << 2);
    const low = i16x8.add_sat_s(i16x8.narrow_i32x4_s(rounded(p, a), rounded(p + 16, a)), middle);
    const high = i16x8.add_sat_s(i16x8.narrow_i32x4_s(rounded(p + 32, a), rounded(p + 48, a)), middle);
    v128.store(q + e, i8x16.narrow_i16x8_u(low, high));
  }
  for (; e < end; e++) {
    const value = nearest(load<f32>(x + (e << 2)) * (1 / scale));
    store<u8>(q + e, <u8>(128 + <i32>min(max(value, -128), 127)));
  }
}

/** Σ x² over rows [from, to) of x [rows, d], as a float64 at `out`. */
export function sumOfSquares(x: usize, d: i32, out: usize, from: i32, to: i32): void {
  const bytes = (<usize>d) << 2;
  let sum: f64 = 0;
  for (let row = from; row < to; row++) sum += <f64>dot(x + <usize>row * bytes, x + <usize>row * bytes, d);
  store<f64>(out, sum);
}

/**
 * Of each row's `candidates` (latents, [rows, candidates]) those k with the largest exact pre-activations
 * h = x_c·W_e[i] + b_e[i], in no particular order: values and indices [rows, k]. `scratch` holds `candidates` float32, in
 * whole fours.
 */
export function rank(
  xc: usize, d: i32, encoder: usize, bias: usize, latents: usize, candidates: i32, k: i32,
  values: usize, indices: usize, scratch: usize, from: i32, to: i32,
): void {
  const bytes = (<usize>d) << 2;
  const quads = candidates & ~3;
  for (let row = from; row < to; row++) {
    const x = xc + <usize>row * bytes;
    const own = latents + ((<usize>row * candidates) << 2);
    let j = 0;
    for (; j < quads; j += 4) {
      const e = (<usize>j) << 2;
      const products = dot4(
        x,
        encoder + <usize>load<i32>(own + e) * bytes,
        encoder + <usize>load<i32>(own + e, 4) * bytes,
        encoder + <usize>load<i32>(own + e, 8) * bytes,
        encoder + <usize>load<i32>(own + e, 12) * bytes,
        d,
      );
      v128.store(scratch + e, products);
    }
    for (; j < candidates; j++) {
      const e = (<usize>j) << 2;
      store<f32>(scratch + e, dot(x, encoder + <usize>load<i32>(own + e) * bytes, d));
    }
    for (j = 0; j < candidates; j++) {
      const e = (<usize>j) << 2;
      store<f32>(scratch + e, load<f32>(scratch + e) + load<f32>(bias + ((<usize>load<i32>(own + e)) << 2)));
    }
    let out = (<usize>row * k) << 2;
    const end = out + ((<usize>k) << 2); // what is no number comes before nothing: all of it would be kept
    for (j = 0; j < candidates; j += 4) {
      let kept = i32x4.bitmask(i32x4.lt_s(placesOf(scratch, candidates, j), i32x4.splat(k)));
      if (candidates - j < 4) kept &= (1 << (candidates - j)) - 1;
      for (; kept != 0 && out < end; kept &= kept - 1) {
        const e = (<usize>(j + ctz(kept))) << 2;
        store<f32>(values + out, load<f32>(scratch + e));
        store<i32>(indices + out, load<i32>(own + e));
        out += 4;
      }
    }
  }
}

/** How many of the values come before each of those from j to j + 3: the larger ones, and of equal ones the earlier. */
// @ts-ignore: decorator
@inline
function placesOf(values: usize, length: i32, j: i32): v128 {
  const own = values + ((<usize>j) << 2);
  const end = values + ((<usize>length) << 2);
  const v = v128.load(own);
  let before = i32x4.splat(0);
  let p = values;
  for (; p < own; p += 4) before = i32x4.sub(before, f32x4.ge(v128.load32_splat(p), v));
  for (; p < end; p += 4) before = i32x4.sub(before, f32x4.gt(v128.load32_splat(p), v));
  // of four equal ones too, the later come after
  before = i32x4.sub(before, v128.and(f32x4.eq(i32x4.shuffle(v, v, 0, 0, 1, 2), v), i32x4(0, -1, -1, -1)));
  before = i32x4.sub(before, v128.and(f32x4.eq(i32x4.shuffle(v, v, 0, 0, 0, 1), v), i32x4(0, 0, -1, -1)));
  return i32x4.sub(before, v128.and(f32x4.eq(i32x4.shuffle(v, v, 0, 0, 0, 0), v), i32x4(0, 0, 0, -1)));
}

/**
 * counts[row] = how many of the latents [from, to) have an exact pre-activation above thresholds[row], for each of the `rows`
 * of x_c.
 */
export function countAbove(
  xc: usize, rows: i32, d: i32, encoder: usize, bias: usize, thresholds: usize, counts: usize, from: i32, to: i32,
): void {
  const bytes = (<usize>d) << 2;
  memory.fill(counts, 0, (<usize>rows) << 2);
  let i = from;
  for (; i + 4 <= to; i += 4) {
    const w = encoder + <usize>i * bytes;
    const b = v128.load(bias + ((<usize>i) << 2));
    for (let row = 0; row < rows; row++) {
      const r = (<usize>row) << 2;
      const h = f32x4.add(dot4(xc + <usize>row * bytes, w, w + bytes, w + bytes * 2, w + bytes * 3, d), b);
      const above = i32x4.bitmask(f32x4.gt(h, f32x4.splat(load<f32>(thresholds + r))));
      store<i32>(counts + r, load<i32>(counts + r) + popcnt<i32>(above));
    }
  }
  for (; i < to; i++) {
    const b = load<f32>(bias + ((<usize>i) << 2));
    for (let row = 0; row < rows; row++) {
      const r = (<usize>row) << 2;
      const h = dot(xc + <usize>row * bytes, encoder + <usize>i * bytes, d) + b;
      if (h > load<f32>(thresholds + r)) store<i32>(counts + r, load<i32>(counts + r) + 1);
    }
  }
}
