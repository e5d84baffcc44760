import { compact, whole } from '../../shared/format.js';
import type { SeriesName } from '../../shared/series.js';
import { trainingMetrics } from '../metrics.js';
import { summarise, tableRows } from './join.js';
import { curvesOf, type ChartLine } from './line.js';

/** What a chart shows, for those who do not see it. */
export function describeChart(metric: SeriesName, lines: readonly ChartLine[]): string {
  const { label, unit, format } = trainingMetrics[metric];
  const about = lines.map((line) => {
    const summary = summarise(line.series.values[metric]);
    const name = lines.length > 1 ? `${line.name}: ` : '';
    if (summary === null) return `${name}no values.`;
    const { first, last, lowest, highest } = summary;
    const tokens = compact(line.series.tokens.at(-1));
    return (
      `${name}from ${format(first)} to ${format(last)} at ${tokens} tokens, ` +
      `lowest ${format(lowest)}, highest ${format(highest)}.`
    );
  });
  return `Line chart of ${label}${unit && `, ${unit},`} over tokens seen. ${about.join(' ')}`;
}

/** Rows of the table behind a chart. */
const mostRows = 40;

/** The table behind a chart: a head and rows of text, tokens first. */
export function chartTable(metric: SeriesName, lines: readonly ChartLine[]): { head: string[]; rows: string[][] } {
  const { label, format } = trainingMetrics[metric];
  const rows = tableRows(curvesOf(lines, metric), mostRows);
  return {
    head: ['Tokens', ...(lines.length > 1 ? lines.map((line) => line.name) : [label])],
    rows: rows.map(({ tokens, values }) => [whole(tokens), ...values.map((value) => format(value))]),
  };
}
