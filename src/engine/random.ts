/**
 * Everything random in the engine comes from a named stream of one seed, so that a change in how much one part draws never
 * shifts what another part sees.
 */

/** A bijective mixing of 32 bits with full avalanche. Murmur3's finaliser with the constants of splitmix32. */
export function mix32(x: number): number {
  let z = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/** 32 bits that depend on every bit of a seed (any safe integer) and of a stream's name. */
export function hash32(seed: number, stream: string | number): number {
  let h = mix32(seed >>> 0);
  h = mix32(h ^ Math.floor(Math.abs(seed) / 2 ** 32));
  for (const unit of typeof stream === 'string' ? codeUnits(stream) : [stream >>> 0, Math.floor(stream / 2 ** 32)]) {
    h = mix32((h + 0x9e3779b9) ^ unit);
  }
  return h;
}

function* codeUnits(text: string): Generator<number> {
  for (let i = 0; i < text.length; i++) yield text.charCodeAt(i);
}

/** sfc32 (Doty-Humphrey, PractRand): 128 bits of state, period at least 2³². */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;
  /** Box–Muller makes normals in pairs; the second one waits here. */
  #spare: number | undefined;

  /** The generator of one named stream. `seed` is any safe integer. */
  constructor(seed: number, stream: string) {
    const h = hash32(seed, stream);
    this.#a = mix32(h + 0x9e3779b9);
    this.#b = mix32(this.#a ^ hash32(~seed, stream));
    this.#c = mix32(this.#b + h);
    this.#counter = 1;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** Uniform over 0 … 2³² − 1. */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** Uniform over [0, 1) with 53 bits. */
  float(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /** Uniform over the whole numbers 0 … n − 1, 1 ≤ n ≤ 2³², without bias: draws from the incomplete last interval are thrown away. */
  below(n: number): number {
    const limit = 2 ** 32 - (2 ** 32 % n);
    let draw = this.uint32();
    while (draw >= limit) draw = this.uint32();
    return draw % n;
  }

  /** Standard normal. Box and Muller 1958. */
  normal(): number {
    if (this.#spare !== undefined) {
      const value = this.#spare;
      this.#spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    const angle = 2 * Math.PI * this.float();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** The whole state as plain numbers; `Random.restore` continues from it exactly. */
  state(): number[] {
    const words = [this.#a, this.#b, this.#c, this.#counter];
    return this.#spare === undefined ? words : [...words, this.#spare];
  }

  static restore(state: readonly number[]): Random {
    const random = new Random(0, '');
    [random.#a, random.#b, random.#c, random.#counter] = state as [number, number, number, number];
    random.#spare = state[4];
    return random;
  }
}

/** Fills the rows of a matrix, [rows, d], with directions uniform on the unit sphere. */
export function randomUnitRows(matrix: Float32Array, d: number, random: Random): void {
  const row = new Float64Array(d);
  for (let start = 0; start < matrix.length; start += d) {
    let square = 0;
    for (let j = 0; j < d; j++) {
      row[j] = random.normal();
      square += row[j]! ** 2;
    }
    const norm = Math.sqrt(square);
    for (let j = 0; j < d; j++) matrix[start + j] = row[j]! / norm;
  }
}
