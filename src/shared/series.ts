import type { Metrics } from './events.js';

/** The course of a run's training as the charts show it: the lines of `metrics.jsonl`, thinned to a bounded number. */

export const seriesNames = ['train_loss', 'l0', 'explained_variance', 'dead_features', 'tokens_per_second'] as const;
export type SeriesName = (typeof seriesNames)[number];

/**
 * Columns of equal length. Point i is the mean over lines i·stride … (i+1)·stride − 1 (`step` and `tokens`: of the last
 * of them); the stride is a power of two that depends on the number of lines alone, so that the same file gives the same
 * points whoever reads it and whenever. A mean over no known value is null.
 */
export interface Series {
  stride: number;
  step: number[];
  tokens: number[];
  values: Record<SeriesName, (number | null)[]>;
}

/** What a series needs of a line of `metrics.jsonl`. */
export interface SeriesLine {
  step: number;
  tokens: number;
  tokens_per_second: number | null;
  metrics: Pick<Metrics, Exclude<SeriesName, 'tokens_per_second'>>;
}

/** Points of a series from index `start` on; those before stay as they are. */
export interface SeriesPart {
  start: number;
  series: Series;
}

/** Most points of a series; from twice as many lines on there are always more than half of it. */
export const mostPoints = 512;

interface Sum {
  total: number;
  count: number;
}

interface Point {
  step: number;
  tokens: number;
  sums: Record<SeriesName, Sum>;
}

/** Thins lines into a series as they come. Its memory is bounded by the number of points, whatever the number of lines. */
export class SeriesBuilder {
  readonly #points: Point[] = [];
  #stride = 1;
  #lines = 0;
  /** The first point that `take` has not given out as it is now. */
  #changed = 0;

  add(line: SeriesLine): void {
    if (this.#lines === mostPoints * this.#stride) this.#halve();
    const index = Math.floor(this.#lines / this.#stride);
    const before = this.#points[index];
    const point = pointOf(line);
    this.#points[index] = before === undefined ? point : merged(before, point);
    this.#changed = Math.min(this.#changed, index);
    this.#lines += 1;
  }

  /** The points that are new or changed since the last call; at first all there are. */
  take(): SeriesPart {
    const start = this.#changed;
    this.#changed = this.#points.length;
    return { start, series: columns(this.#points.slice(start), this.#stride) };
  }

  #halve(): void {
    const half = this.#points.length / 2;
    for (let i = 0; i < half; i++) this.#points[i] = merged(this.#points[2 * i]!, this.#points[2 * i + 1]!);
    this.#points.length = half;
    this.#stride *= 2;
    this.#changed = 0;
  }
}

/** A series with points of a later part in place: what a receiver of parts has. */
export function withPart(before: Series, { start, series }: SeriesPart): Series {
  const join = <T>(old: readonly T[], added: readonly T[]) => [...old.slice(0, start), ...added];
  return {
    stride: series.stride,
    step: join(before.step, series.step),
    tokens: join(before.tokens, series.tokens),
    values: byName((name) => join(before.values[name], series.values[name])),
  };
}

function byName<T>(make: (name: SeriesName) => T): Record<SeriesName, T> {
  return Object.fromEntries(seriesNames.map((name) => [name, make(name)])) as Record<SeriesName, T>;
}

function pointOf({ step, tokens, tokens_per_second, metrics }: SeriesLine): Point {
  const values = { ...metrics, tokens_per_second };
  const sum = (value: number | null) => (value === null ? { total: 0, count: 0 } : { total: value, count: 1 });
  return { step, tokens, sums: byName((name) => sum(values[name])) };
}

function merged(first: Point, second: Point): Point {
  const sum = (name: SeriesName) => ({
    total: first.sums[name].total + second.sums[name].total,
    count: first.sums[name].count + second.sums[name].count,
  });
  return { step: second.step, tokens: second.tokens, sums: byName(sum) };
}

function columns(points: readonly Point[], stride: number): Series {
  const mean = ({ total, count }: Sum) => (count === 0 ? null : total / count);
  return {
    stride,
    step: points.map(({ step }) => step),
    tokens: points.map(({ tokens }) => tokens),
    values: byName((name) => points.map(({ sums }) => mean(sums[name]))),
  };
}
