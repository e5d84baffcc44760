import type { RunState } from '../../shared/panel.js';
import type { Column, Value } from './column.js';

export interface Order {
  key: string;
  descending: boolean;
}

/** Runs ordered by a column; equal ones keep their order, and what has no value comes last either way. */
export function ordered(runs: readonly RunState[], column: Column, descending: boolean): RunState[] {
  return [...runs].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return descending ? -order(x, y) : order(x, y);
  });
}

function order(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}

/** The order after a column's heading was pressed: the better values first, and pressed again the other way round. */
export function nextOrder(current: Order | null, { key, better }: Column): Order {
  return { key, descending: current?.key === key ? !current.descending : better === 'higher' };
}

/** The best known value; null where the column has no better or there is nothing to be better than. */
export function best(runs: readonly RunState[], column: Column): Value {
  const known = runs.map((run) => column.value(run)).filter((value) => typeof value === 'number');
  if (column.better === null || known.length < 2) return null;
  const [lowest, highest] = [Math.min(...known), Math.max(...known)];
  if (lowest === highest) return null;
  return column.better === 'lower' ? lowest : highest;
}
