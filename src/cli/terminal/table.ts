/** Aligned columns of text. */

/** Rows as lines: the first column to the left, numbers beside it to the right, the last column as it is. */
export function columns(rows: readonly (readonly string[])[], align: readonly ('left' | 'right')[]): string[] {
  const widths = align.map((_, column) => Math.max(0, ...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    align
      .map((side, column) => {
        const cell = row[column] ?? '';
        return side === 'left' ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** `label  value` pairs with the values lined up; a pair whose value is undefined is left out. */
export function pairs(rows: readonly (readonly [string, string | undefined])[]): string[] {
  const present = rows.filter((row): row is readonly [string, string] => row[1] !== undefined);
  return columns(present, ['left', 'left']);
}
