import { hash32 } from '../random.js';

/** Part of the rows wanted by which a document may take the held-out ones beyond them. */
const tolerance = 0.05;

/**
 * Which documents are kept out of training: 1 for held out, [documents]. Documents are taken in the order of a seeded hash of
 * their index until the rows held out are as near to `fraction` of all as whole documents allow. A document without rows is
 * never held out; of two or more with rows, at least one is and at least one is not, unless `fraction` is 0.
 *
 * @param rows training rows of each document (of recorded activations: of each sample).
 */
export function dealHeldOut(rows: ArrayLike<number>, fraction: number, seed: number): Uint8Array {
  const held = new Uint8Array(rows.length);
  const withRows: number[] = [];
  let total = 0;
  for (let document = 0; document < rows.length; document++) {
    if (rows[document]! > 0) withRows.push(document);
    total += rows[document]!;
  }
  if (!(fraction > 0) || withRows.length < 2) return held;
  const stream = hash32(seed, 'held out');
  const keys = new Map(withRows.map((document) => [document, hash32(stream, document)]));
  const order = Uint32Array.from(withRows).sort((a, b) => keys.get(a)! - keys.get(b)! || a - b);
  const target = fraction * total;
  let sum = 0;
  let taken = 0;
  for (const document of order) {
    if (sum >= target || taken === order.length - 1) break;
    const excess = sum + rows[document]! - target;
    if (excess > Math.min(target - sum, tolerance * target)) continue;
    held[document] = 1;
    sum += rows[document]!;
    taken++;
  }
  if (taken === 0) held[order.reduce((least, document) => (rows[document]! < rows[least]! ? document : least))] = 1;
  return held;
}
