/**
 * IEEE 754 binary16 and back, over whole arrays.
 *
 * Both directions go through tables: to half, by the float's sign and exponent (van der Zijp 2008, "Fast half float
 * conversions", with rounding added); from half, by the half itself.
 */

const largest = 0x7bff;

/** For each of the 512 sign-and-exponent patterns: what the half starts from, and how far the 24-bit mantissa moves down. */
const base = new Uint16Array(512);
const shift = new Uint8Array(512);
for (let exponent = 0; exponent < 256; exponent++) {
  const subnormal = exponent <= 112;
  for (const [sign, pattern] of [0, 0x8000].entries()) {
    // A normal half's own leading one adds 1 to the exponent field, hence one less here.
    base[sign * 256 + exponent] = pattern | (subnormal ? 0 : Math.min(exponent - 113, 31) << 10);
    // 24 bits moved down by 25 or more, and rounded, are always 0.
    shift[sign * 256 + exponent] = subnormal ? Math.min(126 - exponent, 25) : 13;
  }
}

let floats: Float32Array | undefined;

/** The value of every half, 256 KiB, made at first use. */
function halfValues(): Float32Array {
  if (floats) return floats;
  floats = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >>> 10) & 31;
    const mantissa = bits & 1023;
    const sign = bits & 0x8000 ? -1 : 1;
    if (exponent === 31) floats[bits] = mantissa ? NaN : sign * Infinity;
    else if (exponent === 0) floats[bits] = sign * mantissa * 2 ** -24;
    else floats[bits] = sign * (1024 + mantissa) * 2 ** (exponent - 25);
  }
  return floats;
}

/**
 * Rounds to the nearest half, ties to even. Finite values beyond ±65504 become ±65504, since one infinity would ruin every
 * sum it enters; infinities and NaN stay what they are. `out` is at least as long as `values`.
 */
export function toHalf(values: Float32Array, out: Uint16Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const float = bits[i]!;
    const pattern = float >>> 23;
    const exponent = pattern & 255;
    if (exponent >= 142) {
      out[i] = beyond(float);
      continue;
    }
    const mantissa = (float & 0x7fffff) | 0x800000;
    const down = shift[pattern]!;
    const toNearestEven = (1 << (down - 1)) - 1 + ((mantissa >>> down) & 1);
    out[i] = base[pattern]! + ((mantissa + toNearestEven) >>> down);
  }
  return out;
}

/** Halves of floats from 2¹⁵ on, where rounding may reach infinity. */
function beyond(float: number): number {
  const sign = (float >>> 16) & 0x8000;
  const magnitude = float & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude === 0x7f800000) return sign | 0x7c00;
  const mantissa = magnitude & 0x7fffff;
  const rounded = ((magnitude >>> 23) - 112) * 1024 + ((mantissa + 0xfff + ((mantissa >>> 13) & 1)) >>> 13);
  return sign | Math.min(rounded, largest);
}

/** The exact values of halves. `out` is at least as long as `halves`. */
export function fromHalf(halves: Uint16Array, out: Float32Array): Float32Array {
  const values = halfValues();
  for (let i = 0; i < halves.length; i++) out[i] = values[halves[i]!]!;
  return out;
}

/** Rounds values in place to what a half can hold. */
export function roundThroughHalf(values: Float32Array): Float32Array {
  return fromHalf(toHalf(values, new Uint16Array(values.length)), values);
}
