/** What is said of several measurements of one thing. */
export interface Spread {
  median: number;
  least: number;
  greatest: number;
  count: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), greatest: Math.max(...values), count: values.length };
}

/** The spread of a/b over measurements that were taken one after the other: what slows both down cancels. */
export function ratioSpread(a: readonly number[], b: readonly number[]): Spread {
  if (a.length !== b.length) throw new Error(`${a.length} and ${b.length} measurements make no pairs`);
  return spread(a.map((value, i) => value / b[i]!));
}

/** Milliseconds that `work` takes. */
export async function time(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * Measures several things in turn, so that all of them meet the same machine. Each tells its own milliseconds; the first
 * `warmUp` rounds are thrown away. @returns the measurements of each, in the order of the rounds.
 */
export async function inTurns(
  measures: readonly (() => Promise<number>)[],
  { rounds, warmUp = 1 }: { rounds: number; warmUp?: number },
): Promise<number[][]> {
  const results: number[][] = measures.map(() => []);
  for (let round = -warmUp; round < rounds; round++) {
    for (const [i, measure] of measures.entries()) {
      const ms = await measure();
      if (round >= 0) results[i]!.push(ms);
    }
  }
  return results;
}

export function normals(length: number, next: () => number): Float32Array {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = next();
  return values;
}
