/** Values over tokens seen, of equal length; tokens never fall. */
export interface Curve {
  tokens: readonly number[];
  values: readonly (number | null)[];
}

/** Curves over one axis: undefined where a curve has no point, null where it has one of unknown value. */
export interface Joined {
  tokens: number[];
  columns: (number | null | undefined)[][];
}

/** Puts curves whose points lie at different tokens over the sorted union of them. */
export function joinByTokens(curves: readonly Curve[]): Joined {
  const tokens: number[] = [];
  const columns = curves.map((): (number | null | undefined)[] => []);
  const heads = curves.map(() => 0);
  for (;;) {
    let next = Infinity;
    curves.forEach((curve, i) => (next = Math.min(next, curve.tokens[heads[i]!] ?? Infinity)));
    if (next === Infinity) return { tokens, columns };
    curves.forEach((curve, i) => {
      const here = curve.tokens[heads[i]!] === next;
      columns[i]!.push(here ? curve.values[heads[i]!++] : undefined);
    });
    tokens.push(next);
  }
}

/**
 * What a table shows of curves: at most `most` rows, evenly over all points, the first and the last among them. A cell
 * is the value of the curve's newest point up to the row's tokens; null before its first point, after its last one and
 * where that value is unknown.
 */
export function tableRows(curves: readonly Curve[], most: number): { tokens: number; values: (number | null)[] }[] {
  const { tokens, columns } = joinByTokens(curves);
  const count = Math.min(most, tokens.length);
  const chosen = Array.from({ length: count }, (_, row) =>
    count === 1 ? tokens.length - 1 : Math.round((row * (tokens.length - 1)) / (count - 1)),
  );
  return chosen.map((index) => ({
    tokens: tokens[index]!,
    values: columns.map((column, i) => {
      if (tokens[index]! > (curves[i]!.tokens.at(-1) ?? -Infinity)) return null;
      let at = index;
      while (at > 0 && column[at] === undefined) at--;
      return column[at] ?? null;
    }),
  }));
}

/** The known values of a curve in short; null where there are none. */
export interface Summary {
  first: number;
  last: number;
  lowest: number;
  highest: number;
}

export function summarise(values: readonly (number | null)[]): Summary | null {
  let summary: Summary | null = null;
  for (const value of values) {
    if (value === null) continue;
    summary ??= { first: value, last: value, lowest: value, highest: value };
    summary.last = value;
    summary.lowest = Math.min(summary.lowest, value);
    summary.highest = Math.max(summary.highest, value);
  }
  return summary;
}
