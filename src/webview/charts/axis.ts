/** Pure parts of a chart's axes. */

/** What the values of a chart span. */
export interface Span {
  lowest: number;
  highest: number;
}

/** Whether values spread over so many orders of magnitude that a linear axis would show only the first of them. */
export function suitsLogarithm({ lowest, highest }: Span): boolean {
  return lowest > 0 && highest > 30 * lowest;
}

/**
 * What a linear axis shows. An explained variance is far below 0 for the first steps of many runs; all that follows
 * would be a flat line, so values below 0 are cut off as soon as there are others. Values that hardly differ are shown as
 * one value is: the L0 of TopK is k but for a few tokens, and close up those would look like a collapse.
 */
export function linearSpan({ lowest, highest }: Span): Span {
  if (highest - lowest < 0.01 * Math.abs(highest)) return { lowest: highest, highest };
  return { lowest: isCut({ lowest, highest }) ? 0 : lowest, highest };
}

/** Whether a linear axis leaves out the lowest of these values. */
export function isCut({ lowest, highest }: Span): boolean {
  return lowest < 0 && highest > 0;
}

const units = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** A tick's number, with as many digits as tell it from the next tick, which is `increment` away: 500k, 1M, 1.5M. */
export function tickText(value: number, increment: number): string {
  const [size, suffix] = units.find(([size]) => Math.abs(value) >= size) ?? [1, ''];
  const step = increment / size;
  let decimals = 0;
  while (decimals < 12 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals++;
  // a number again, which has no zeros at its end
  return `${Number((value / size).toFixed(decimals))}${suffix}`;
}

const mantissas = [[1], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9], Array.from({ length: 90 }, (_, i) => (10 + i) / 10)];
const mostTicks = 6;

/** Round numbers between two positive ones: powers of ten if there are three, or else finer ones. */
export function logarithmicTicks({ lowest, highest }: Span): number[] {
  const first = Math.floor(Math.log10(lowest));
  const powers = Array.from({ length: Math.floor(Math.log10(highest)) - first + 1 }, (_, i) => 10 ** (first + i));
  const within = mantissas.map((few) =>
    powers.flatMap((power) => few.map((mantissa) => mantissa * power)).filter((at) => at >= lowest && at <= highest),
  );
  const ticks = within.find((few) => few.length >= 3) ?? within.at(-1)!;
  const every = Math.ceil(ticks.length / mostTicks);
  return ticks.filter((_, i) => i % every === 0);
}

export function logarithmicTickText(value: number): string {
  return tickText(value, 10 ** (Math.floor(Math.log10(value)) - 1));
}
