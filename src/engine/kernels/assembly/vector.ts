// Inner loops over one or a few rows of d float32 values: four lanes at a time, a scalar tail where d % 4 != 0.

// @ts-ignore: decorator
@inline
function sum4(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** y += a·x */
// @ts-ignore: decorator
@inline
export function axpy(y: usize, a: f32, x: usize, d: i32): void {
  const bytes = (<usize>d) << 2;
  const whole = bytes & ~15;
  const va = f32x4.splat(a);
  let i: usize = 0;
  for (; i < whole; i += 16) {
    v128.store(y + i, f32x4.add(v128.load(y + i), f32x4.mul(va, v128.load(x + i))));
  }
  for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(y + i) + a * load<f32>(x + i));
}

/** y += a0·x0 + a1·x1 + a2·x2 + a3·x3: one load and store of y for four rows. */
// @ts-ignore: decorator
@inline
export function axpy4(
  y: usize, a0: f32, x0: usize, a1: f32, x1: usize, a2: f32, x2: usize, a3: f32, x3: usize, d: i32,
): void {
  const bytes = (<usize>d) << 2;
  const whole = bytes & ~15;
  const v0 = f32x4.splat(a0);
  const v1 = f32x4.splat(a1);
  const v2 = f32x4.splat(a2);
  const v3 = f32x4.splat(a3);
  let i: usize = 0;
  for (; i < whole; i += 16) {
    const p = f32x4.add(f32x4.mul(v0, v128.load(x0 + i)), f32x4.mul(v1, v128.load(x1 + i)));
    const q = f32x4.add(f32x4.mul(v2, v128.load(x2 + i)), f32x4.mul(v3, v128.load(x3 + i)));
    v128.store(y + i, f32x4.add(v128.load(y + i), f32x4.add(p, q)));
  }
  for (; i < bytes; i += 4) {
    const p = a0 * load<f32>(x0 + i) + a1 * load<f32>(x1 + i);
    const q = a2 * load<f32>(x2 + i) + a3 * load<f32>(x3 + i);
    store<f32>(y + i, load<f32>(y + i) + (p + q));
  }
}

/** x·y */
// @ts-ignore: decorator
@inline
export function dot(x: usize, y: usize, d: i32): f32 {
  const bytes = (<usize>d) << 2;
  const pairs = bytes & ~31;
  const whole = bytes & ~15;
  let s = f32x4.splat(0);
  let t = f32x4.splat(0);
  let i: usize = 0;
  for (; i < pairs; i += 32) {
    s = f32x4.add(s, f32x4.mul(v128.load(x + i), v128.load(y + i)));
    t = f32x4.add(t, f32x4.mul(v128.load(x + i, 16), v128.load(y + i, 16)));
  }
  for (; i < whole; i += 16) s = f32x4.add(s, f32x4.mul(v128.load(x + i), v128.load(y + i)));
  let total = sum4(f32x4.add(s, t));
  for (; i < bytes; i += 4) total += load<f32>(x + i) * load<f32>(y + i);
  return total;
}

/** x·y0 … x·y3: one load of x for four rows. */
// @ts-ignore: decorator
@inline
export function dot4(x: usize, y0: usize, y1: usize, y2: usize, y3: usize, d: i32): v128 {
  const bytes = (<usize>d) << 2;
  const whole = bytes & ~15;
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  let i: usize = 0;
  for (; i < whole; i += 16) {
    const v = v128.load(x + i);
    s0 = f32x4.add(s0, f32x4.mul(v, v128.load(y0 + i)));
    s1 = f32x4.add(s1, f32x4.mul(v, v128.load(y1 + i)));
    s2 = f32x4.add(s2, f32x4.mul(v, v128.load(y2 + i)));
    s3 = f32x4.add(s3, f32x4.mul(v, v128.load(y3 + i)));
  }
  let t0 = sum4(s0);
  let t1 = sum4(s1);
  let t2 = sum4(s2);
  let t3 = sum4(s3);
  for (; i < bytes; i += 4) {
    const v = load<f32>(x + i);
    t0 += v * load<f32>(y0 + i);
    t1 += v * load<f32>(y1 + i);
    t2 += v * load<f32>(y2 + i);
    t3 += v * load<f32>(y3 + i);
  }
  return f32x4(t0, t1, t2, t3);
}

/** x *= a */
// @ts-ignore: decorator
@inline
export function scale(x: usize, a: f32, d: i32): void {
  const bytes = (<usize>d) << 2;
  const whole = bytes & ~15;
  const va = f32x4.splat(a);
  let i: usize = 0;
  for (; i < whole; i += 16) v128.store(x + i, f32x4.mul(va, v128.load(x + i)));
  for (; i < bytes; i += 4) store<f32>(x + i, a * load<f32>(x + i));
}

/**
 * One Adam step on a row: gradient c·(g − p·w), with p = g·w to project it off w, or 0.
 * `rate` and `epsilon` carry the bias correction; rest = 1 − beta, which float32 would round badly. Returns ‖w‖² after the step. Kingma & Ba 2015, §2.
 */
// @ts-ignore: decorator
@inline
export function adam(
  w: usize, m: usize, v: usize, g: usize, d: i32,
  c: f32, p: f32, rate: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, epsilon: f32,
): f32 {
  const bytes = (<usize>d) << 2;
  const whole = bytes & ~15;
  const vc = f32x4.splat(c);
  const vp = f32x4.splat(p);
  const vr = f32x4.splat(rate);
  const b1 = f32x4.splat(beta1);
  const n1 = f32x4.splat(rest1);
  const b2 = f32x4.splat(beta2);
  const n2 = f32x4.splat(rest2);
  const ve = f32x4.splat(epsilon);
  let norm = f32x4.splat(0);
  let i: usize = 0;
  for (; i < whole; i += 16) {
    const w0 = v128.load(w + i);
    const g0 = f32x4.mul(vc, f32x4.sub(v128.load(g + i), f32x4.mul(vp, w0)));
    const m1 = f32x4.add(f32x4.mul(b1, v128.load(m + i)), f32x4.mul(n1, g0));
    const v1 = f32x4.add(f32x4.mul(b2, v128.load(v + i)), f32x4.mul(n2, f32x4.mul(g0, g0)));
    const w1 = f32x4.sub(w0, f32x4.div(f32x4.mul(vr, m1), f32x4.add(f32x4.sqrt(v1), ve)));
    v128.store(m + i, m1);
    v128.store(v + i, v1);
    v128.store(w + i, w1);
    norm = f32x4.add(norm, f32x4.mul(w1, w1));
  }
  let total = sum4(norm);
  for (; i < bytes; i += 4) {
    const w0 = load<f32>(w + i);
    const g0 = c * (load<f32>(g + i) - p * w0);
    const m1 = beta1 * load<f32>(m + i) + rest1 * g0;
    const v1 = beta2 * load<f32>(v + i) + rest2 * (g0 * g0);
    const w1 = w0 - (rate * m1) / (sqrt<f32>(v1) + epsilon);
    store<f32>(m + i, m1);
    store<f32>(v + i, v1);
    store<f32>(w + i, w1);
    total += w1 * w1;
  }
  return total;
}
