import { hash32, mix32 } from '../random.js';

const rounds = 6;

/** The key of one epoch's order. */
export function epochKey(seed: number, epoch: number): number {
  return hash32(seed, `epoch ${epoch}`);
}

/**
 * Where position `i` of a seeded shuffle of 0 … n − 1 points: a bijection for every 32-bit `key`, without a table.
 * A balanced Feistel network over the smallest even number of bits that holds n, walked along its cycle until it lands
 * inside (Black and Rogaway 2002, "Ciphers with arbitrary finite domains"); fewer than four steps on average.
 *
 * @throws RangeError unless 0 ≤ i < n ≤ 2⁵².
 */
export function permute(i: number, n: number, key: number): number {
  if (!(Number.isInteger(i) && i >= 0 && i < n && n <= 2 ** 52)) throw new RangeError(`permute(${i}) of ${n}`);
  let halfBits = 1;
  while (4 ** halfBits < n) halfBits++;
  const side = 2 ** halfBits;
  let at = i;
  do {
    let left = Math.floor(at / side);
    let right = at % side;
    for (let round = 0; round < rounds; round++) {
      const mask = mix32(mix32(right ^ key) + Math.imul(round + 1, 0x9e3779b9)) & (side - 1);
      [left, right] = [right, left ^ mask];
    }
    at = left * side + right;
  } while (at >= n);
  return at;
}
