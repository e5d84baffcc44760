// Sparse kernels of SAE training over raw memory: every argument is a byte address, a size or a coefficient; all matrices are
// row-major float32. Each works on a range [from, to) of rows or latents, so that several threads can share one call.
// Sums that cross rows go to float64 or to arrays that the caller adds up in a fixed order.

export { countAbove, quantizeLatents, quantizeRows, rank, sumOfSquares } from './preselect';
import { adam as adamRow, axpy, axpy4, dot, dot4, scale } from './vector';

/** x = s·x − b for rows [from, to): activations to training units, centred at the decoder bias. */
export function center(x: usize, d: i32, s: f32, b: usize, from: i32, to: i32): void {
  const bytes = (<usize>d) << 2;
  const whole = bytes & ~15;
  const vs = f32x4.splat(s);
  for (let row = from; row < to; row++) {
    const p = x + <usize>row * bytes;
    let i: usize = 0;
    for (; i < whole; i += 16) v128.store(p + i, f32x4.sub(f32x4.mul(vs, v128.load(p + i)), v128.load(b + i)));
    for (; i < bytes; i += 4) store<f32>(p + i, s * load<f32>(p + i) - load<f32>(b + i));
  }
}

/**
 * Packs each row's `cap` candidates (values, indices as TopK returns them) to those with a positive value, in place;
 * counts[row] says how many remain and sums[row] (float64) what they add up to.
 */
export function keepPositive(
  values: usize, indices: usize, cap: i32, counts: usize, sums: usize, from: i32, to: i32,
): void {
  for (let row = from; row < to; row++) {
    const v = values + ((<usize>row * cap) << 2);
    const x = indices + ((<usize>row * cap) << 2);
    let kept: usize = 0;
    let sum: f64 = 0;
    for (let j: usize = 0; j < <usize>cap; j++) {
      const value = load<f32>(v + (j << 2));
      if (value > 0) {
        store<f32>(v + (kept << 2), value);
        store<i32>(x + (kept << 2), load<i32>(x + (j << 2)));
        sum += <f64>value;
        kept++;
      }
    }
    store<i32>(counts + ((<usize>row) << 2), <i32>kept);
    store<f64>(sums + ((<usize>row) << 3), sum);
  }
}

/** The same for whole rows of n pre-activations: values are packed in place, their latents written to indices. */
export function keepPositiveDense(values: usize, indices: usize, n: i32, counts: usize, from: i32, to: i32): void {
  const zero = f32x4.splat(0);
  for (let row = from; row < to; row++) {
    const v = values + ((<usize>row * n) << 2);
    const x = indices + ((<usize>row * n) << 2);
    let kept: usize = 0;
    let i = 0;
    while (i < n) {
      if (i + 4 <= n && !v128.any_true(f32x4.gt(v128.load(v + ((<usize>i) << 2)), zero))) {
        i += 4;
        continue;
      }
      const end = min(i + 4, n);
      for (; i < end; i++) {
        const value = load<f32>(v + ((<usize>i) << 2));
        if (value > 0) {
          store<f32>(v + (kept << 2), value);
          store<i32>(x + (kept << 2), i);
          kept++;
        }
      }
    }
    store<i32>(counts + ((<usize>row) << 2), <i32>kept);
  }
}

/**
 * r = Σ_j z_j W_d[i_j] − x_c for rows [from, to) and, while the decoder rows are still in cache,
 * g_z[j] = a·(r·W_d[i_j]) + bias; gz = 0 leaves that out. sse[row] (float64) = ‖r‖².
 */
export function decode(
  values: usize, indices: usize, counts: usize, cap: i32, decoder: usize, xc: usize, r: usize, gz: usize, sse: usize,
  d: i32, a: f32, bias: f32, from: i32, to: i32,
): void {
  const bytes = (<usize>d) << 2;
  for (let row = from; row < to; row++) {
    const at = (<usize>row * cap) << 2;
    const v = values + at;
    const x = indices + at;
    const g = gz + at;
    const count = <usize>load<i32>(counts + ((<usize>row) << 2));
    const out = r + <usize>row * bytes;
    const target = xc + <usize>row * bytes;
    memory.fill(out, 0, bytes);
    axpy(out, -1, target, d);
    const quads = count & ~3;
    let j: usize = 0;
    for (; j < quads; j += 4) {
      const e = j << 2;
      axpy4(
        out,
        load<f32>(v + e), decoder + <usize>load<i32>(x + e) * bytes,
        load<f32>(v + e, 4), decoder + <usize>load<i32>(x + e, 4) * bytes,
        load<f32>(v + e, 8), decoder + <usize>load<i32>(x + e, 8) * bytes,
        load<f32>(v + e, 12), decoder + <usize>load<i32>(x + e, 12) * bytes,
        d,
      );
    }
    for (; j < count; j++) axpy(out, load<f32>(v + (j << 2)), decoder + <usize>load<i32>(x + (j << 2)) * bytes, d);
    store<f64>(sse + ((<usize>row) << 3), <f64>dot(out, out, d));
    if (gz == 0) continue;
    for (j = 0; j < quads; j += 4) {
      const e = j << 2;
      const products = dot4(
        out,
        decoder + <usize>load<i32>(x + e) * bytes,
        decoder + <usize>load<i32>(x + e, 4) * bytes,
        decoder + <usize>load<i32>(x + e, 8) * bytes,
        decoder + <usize>load<i32>(x + e, 12) * bytes,
        d,
      );
      v128.store(g + e, f32x4.mul(f32x4.splat(a), products));
    }
    for (; j < count; j++) {
      const e = j << 2;
      store<f32>(g + e, a * dot(out, decoder + <usize>load<i32>(x + e) * bytes, d));
    }
    if (bias != 0) for (j = 0; j < count; j++) store<f32>(g + (j << 2), load<f32>(g + (j << 2)) + bias);
  }
}

/**
 * Counting sort of all (row, value, g_z) entries by latent, rows ascending within a latent. starts[n+1] is filled;
 * values are multiplied by a, so that Σ a·z·r is the decoder gradient. Returns the number of entries.
 */
export function sortByLatent(
  values: usize, indices: usize, gz: usize, counts: usize, cap: i32, rows: i32, n: i32, a: f32,
  starts: usize, entryRows: usize, entryValues: usize, entryGradients: usize,
): i32 {
  memory.fill(starts, 0, (<usize>n + 1) << 2);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const x = indices + ((<usize>row * cap) << 2);
    const count = load<i32>(counts + ((<usize>row) << 2));
    total += count;
    for (let j = 0; j < count; j++) {
      const slot = starts + ((<usize>load<i32>(x + ((<usize>j) << 2))) << 2);
      store<i32>(slot, load<i32>(slot) + 1);
    }
  }
  let sum = 0;
  for (let i = 0; i <= n; i++) {
    const slot = starts + ((<usize>i) << 2);
    const count = load<i32>(slot);
    store<i32>(slot, sum);
    sum += count;
  }
  for (let row = 0; row < rows; row++) {
    const at = (<usize>row * cap) << 2;
    const count = load<i32>(counts + ((<usize>row) << 2));
    for (let j = 0; j < count; j++) {
      const e = at + ((<usize>j) << 2);
      const slot = starts + ((<usize>load<i32>(indices + e)) << 2);
      const place = load<i32>(slot);
      store<i32>(slot, place + 1);
      const p = (<usize>place) << 2;
      store<i32>(entryRows + p, row);
      store<f32>(entryValues + p, a * load<f32>(values + e));
      store<f32>(entryGradients + p, load<f32>(gz + e));
    }
  }
  // every start has moved to its latent's end, which is the next latent's start
  for (let i = n; i > 0; i--) store<i32>(starts + ((<usize>i) << 2), load<i32>(starts + ((<usize>(i - 1)) << 2)));
  store<i32>(starts, 0);
  return total;
}

/** out = Σ coefficient·rows[index] over the entries [from, to) of one latent; out holds what the sum starts from. */
// @ts-ignore: decorator
@inline
function accumulate(out: usize, rows: usize, index: usize, coefficient: usize, from: i32, to: i32, d: i32): void {
  const bytes = (<usize>d) << 2;
  const quads = from + ((to - from) & ~3);
  let e = from;
  for (; e < quads; e += 4) {
    const p = (<usize>e) << 2;
    axpy4(
      out,
      load<f32>(coefficient + p), rows + <usize>load<i32>(index + p) * bytes,
      load<f32>(coefficient + p, 4), rows + <usize>load<i32>(index + p, 4) * bytes,
      load<f32>(coefficient + p, 8), rows + <usize>load<i32>(index + p, 8) * bytes,
      load<f32>(coefficient + p, 12), rows + <usize>load<i32>(index + p, 12) * bytes,
      d,
    );
  }
  for (; e < to; e++) {
    const p = (<usize>e) << 2;
    axpy(out, load<f32>(coefficient + p), rows + <usize>load<i32>(index + p) * bytes, d);
  }
}

/** Fills out with dense gradient row `slot`, or with zeros where there is none (slot < 0). */
// @ts-ignore: decorator
@inline
function begin(out: usize, dense: usize, slot: i32, bytes: usize): void {
  if (slot >= 0) memory.copy(out, dense + <usize>slot * bytes, bytes);
  else memory.fill(out, 0, bytes);
}

/** Where a latent's two gradient rows (2·d) are formed: in its own place among the first `kept`, else in `scratch`. */
// @ts-ignore: decorator
@inline
function gradientRows(i: i32, kept: i32, gradients: usize, scratch: usize, bytes: usize): usize {
  return i < kept ? gradients + <usize>i * (bytes << 1) : scratch;
}

/**
 * First pass over latents [from, to): both gradient rows are formed, the decoder's projected off its direction, for their
 * squared norm: norms[i] (float64). Rows of latents below `kept` stay in `gradients` [kept, 2·d].
 * biasGradient[i] = Σ_b g_h (added to what is there); encoderSum (d) += biasGradient[i]·W_e[i], the part of ∂b_d that goes
 * through the pre-bias.
 * denseSlot[i] ≥ 0 names the row of denseEncoder/denseDecoder that the sums start from.
 */
export function gradientNorms(
  starts: usize, entryRows: usize, entryValues: usize, entryGradients: usize,
  r: usize, xc: usize, encoder: usize, decoder: usize,
  denseSlot: usize, denseEncoder: usize, denseDecoder: usize,
  scratch: usize, kept: i32, gradients: usize, norms: usize, biasGradient: usize, encoderSum: usize,
  d: i32, from: i32, to: i32,
): void {
  const bytes = (<usize>d) << 2;
  for (let i = from; i < to; i++) {
    const at = (<usize>i) << 2;
    const gradE = gradientRows(i, kept, gradients, scratch, bytes);
    const gradD = gradE + bytes;
    const first = load<i32>(starts + at);
    const last = load<i32>(starts + at, 4);
    const slot = load<i32>(denseSlot + at);
    let norm: f64 = 0;
    if (first < last || slot >= 0) {
      begin(gradE, denseEncoder, slot, bytes);
      begin(gradD, denseDecoder, slot, bytes);
      accumulate(gradE, xc, entryRows, entryGradients, first, last, d);
      accumulate(gradD, r, entryRows, entryValues, first, last, d);
      const direction = decoder + <usize>i * bytes;
      const p = dot(gradD, direction, d);
      axpy(gradD, -p, direction, d);
      norm = <f64>dot(gradE, gradE, d) + <f64>dot(gradD, gradD, d);
      let g = load<f32>(biasGradient + at);
      for (let e = first; e < last; e++) g += load<f32>(entryGradients + ((<usize>e) << 2));
      store<f32>(biasGradient + at, g);
      if (g != 0) axpy(encoderSum, g, encoder + <usize>i * bytes, d);
    } else if (i < kept) {
      memory.fill(gradE, 0, bytes << 1);
    }
    store<f64>(norms + ((<usize>i) << 3), norm);
  }
}

/**
 * Second pass over latents [from, to): takes the gradient rows that were kept, forms and projects the others again, multiplies
 * by the clipping factor c, takes the Adam step of both rows and brings the decoder row back to unit norm. Rows without a
 * gradient decay and move too.
 */
export function update(
  starts: usize, entryRows: usize, entryValues: usize, entryGradients: usize,
  r: usize, xc: usize, encoder: usize, encoderM: usize, encoderV: usize, decoder: usize, decoderM: usize, decoderV: usize,
  denseSlot: usize, denseEncoder: usize, denseDecoder: usize, scratch: usize, kept: i32, gradients: usize,
  d: i32, c: f32, rate: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, epsilon: f32, from: i32, to: i32,
): void {
  const bytes = (<usize>d) << 2;
  memory.fill(scratch, 0, bytes << 1);
  let clean = true;
  for (let i = from; i < to; i++) {
    const at = (<usize>i) << 2;
    const row = <usize>i * bytes;
    const first = load<i32>(starts + at);
    const last = load<i32>(starts + at, 4);
    const slot = load<i32>(denseSlot + at);
    const gradE = gradientRows(i, kept, gradients, scratch, bytes);
    const gradD = gradE + bytes;
    let p: f32 = 0;
    if (i < kept) {
      // formed and projected
    } else if (first < last || slot >= 0) {
      begin(gradE, denseEncoder, slot, bytes);
      begin(gradD, denseDecoder, slot, bytes);
      accumulate(gradE, xc, entryRows, entryGradients, first, last, d);
      accumulate(gradD, r, entryRows, entryValues, first, last, d);
      p = dot(gradD, decoder + row, d);
      clean = false;
    } else if (!clean) {
      memory.fill(scratch, 0, bytes << 1);
      clean = true;
    }
    adamRow(encoder + row, encoderM + row, encoderV + row, gradE, d, c, 0, rate, beta1, rest1, beta2, rest2, epsilon);
    const norm = adamRow(decoder + row, decoderM + row, decoderV + row, gradD, d, c, p, rate, beta1, rest1, beta2, rest2, epsilon);
    if (norm > 0) scale(decoder + row, 1 / sqrt<f32>(norm), d);
  }
}

/** Adam on a vector of `length` values: the biases. */
export function adam(
  w: usize, m: usize, v: usize, g: usize, length: i32, c: f32, rate: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, epsilon: f32,
): void {
  adamRow(w, m, v, g, length, c, 0, rate, beta1, rest1, beta2, rest2, epsilon);
}

/** out (d) += a·Σ of rows [from, to) of x. */
export function columnSums(x: usize, d: i32, a: f32, out: usize, from: i32, to: i32): void {
  const bytes = (<usize>d) << 2;
  let row = from;
  for (; row + 4 <= to; row += 4) {
    const p = x + <usize>row * bytes;
    axpy4(out, a, p, a, p + bytes, a, p + bytes * 2, a, p + bytes * 3, d);
  }
  for (; row < to; row++) axpy(out, a, x + <usize>row * bytes, d);
}
