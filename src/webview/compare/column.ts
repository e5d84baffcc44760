import type { RunState } from '../../shared/panel.js';

/** What orders the cells of a column; null is a dash. */
export type Value = number | string | null;

/** A column of the table of compared runs. */
export interface Column {
  key: string;
  label: string;
  /** What the heading explains; empty where it needs no words. */
  definition: string;
  value: (run: RunState) => Value;
  text: (value: Value) => string;
  /** Why a run has no value, where that is known. */
  why?: (run: RunState) => string | undefined;
  /** Null where neither more nor less is better. */
  better: 'lower' | 'higher' | null;
}
