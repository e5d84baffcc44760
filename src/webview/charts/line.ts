import type { Series, SeriesName } from '../../shared/series.js';
import type { Curve } from './join.js';

/** One run as a chart draws it. */
export interface ChartLine {
  id: string;
  name: string;
  /** Its place among the runs shown together, from 0: decides its look, also while others are hidden. */
  place: number;
  series: Series;
}

/** How a line is told from the others: by colour, by dashes, and by a letter at its end and in the legend. */
export interface LineStyle {
  /** A CSS custom property of VS Code's theme. */
  color: string;
  /** Lengths of dashes and gaps in CSS pixels; none is a solid line. */
  dash: number[];
  letter: string;
}

/** Not all of VS Code's chart colours: orange is a translucent highlight in some themes and missing in others. */
const colors = ['blue', 'red', 'green', 'purple', 'yellow', 'foreground'].map((name) => `--vscode-charts-${name}`);
const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

/** The look of the line in a place. Any 12 places in a row differ in the pair of colour and dashes, neighbours in both. */
export function lineStyle(place: number): LineStyle {
  const letter = place < 26 ? String.fromCharCode(65 + place) : String(place + 1);
  return { color: colors[place % colors.length]!, dash: dashes[place % dashes.length]!, letter };
}

/** The curves of one metric. */
export function curvesOf(lines: readonly ChartLine[], metric: SeriesName): Curve[] {
  return lines.map(({ series }) => ({ tokens: series.tokens, values: series.values[metric] }));
}
