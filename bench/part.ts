import type { Spread } from './statistics.js';

/** One line of the table: a ratio or a number, what it could be at best, and of what. */
export interface Row {
  what: string;
  measured: string;
  limit?: string;
  at?: string;
}

export interface Scale {
  /** Tiny sizes and few rounds: to see that everything runs. */
  smoke: boolean;
  threads: number;
}

/** A part of the benchmark. */
export interface Part {
  /** What is said while it runs. */
  title: string;
  run: (scale: Scale) => Promise<{ data: unknown; rows: Row[] }>;
}

/** A ratio with its spread: 1.41 (1.36–1.49). */
export function ratio({ median, least, greatest }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}–${greatest.toFixed(digits)})`;
}

/** Milliseconds with their spread: 649 ms (640–671). */
export function milliseconds({ median, least, greatest }: Spread): string {
  const digits = median < 10 ? 1 : 0;
  return `${median.toFixed(digits)} ms (${least.toFixed(digits)}–${greatest.toFixed(digits)})`;
}

/** The rows as columns of equal width, without those that are empty. */
export function table(rows: readonly Row[]): string {
  const all = [
    ['', 'measured', 'limit', 'at'],
    ...rows.map(({ what, measured, limit = '', at = '' }) => [what, measured, limit, at]),
  ];
  const used = [0, 1, 2, 3].filter((column) => all.slice(1).some((row) => row[column] !== ''));
  const width = (column: number) => Math.max(...all.map((row) => row[column]!.length));
  const line = (row: readonly string[]) => used.map((column) => row[column]!.padEnd(width(column))).join('  ');
  return all.map((row) => line(row).trimEnd()).join('\n');
}
