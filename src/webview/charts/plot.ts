import uPlot from 'uplot';
import type { SeriesName } from '../../shared/series.js';
import { trainingMetrics } from '../metrics.js';
import { linearSpan, logarithmicTicks, logarithmicTickText, tickText } from './axis.js';
import { spreadLabels } from './end-labels.js';
import { joinByTokens } from './join.js';
import { curvesOf, lineStyle, type ChartLine } from './line.js';
import { Readout } from './readout.js';
import { chartTheme } from './theme.js';

export interface PlotOptions {
  metric: SeriesName;
  lines: readonly ChartLine[];
  /** Base-10 logarithmic values. */
  logarithmic: boolean;
  /** Plots of one group show their crosshairs at the same tokens. */
  group: string;
  /** CSS pixels. */
  width: number;
  height: number;
}

const fontSize = 11;
/** Room right of the plotting area, for the letters at the lines' ends or half of the last tick's label. */
const margin = 16;

/** A canvas with the lines of one metric over the tokens seen. Which lines, metric and theme it has is fixed. */
export class Plot {
  readonly #plot: uPlot;
  readonly #readout = new Readout();
  readonly #metric: SeriesName;
  #lines: readonly ChartLine[];

  constructor(host: HTMLElement, options: PlotOptions) {
    this.#metric = options.metric;
    this.#lines = options.lines;
    this.#plot = new uPlot(this.#options(options), this.#data(), host);
    this.#plot.over.append(this.#readout.element);
    // draws now, not in a microtask that nobody's budget counts
    this.#plot.batch(() => undefined);
  }

  /** Draws the same lines with their newest points. */
  update(lines: readonly ChartLine[], width: number): void {
    this.#lines = lines;
    this.#plot.batch(() => {
      if (width !== this.#plot.width) this.#plot.setSize({ width, height: this.#plot.height });
      this.#plot.setData(this.#data());
    });
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #data(): uPlot.AlignedData {
    const curves = curvesOf(this.#lines, this.#metric);
    const { tokens, columns } = joinByTokens(curves);
    return [tokens, ...columns];
  }

  #options({ logarithmic, group, width, height }: PlotOptions): uPlot.Options {
    const theme = chartTheme();
    const axis: uPlot.Axis = {
      stroke: theme.text,
      font: `${fontSize}px ${theme.fontFamily}`,
      grid: { stroke: theme.grid, width: 1 },
      ticks: { show: false },
      gap: 6,
      values: (_, splits, __, ___, increment) => splits.map((split) => tickText(split, increment)),
    };
    return {
      width,
      height,
      padding: [8, margin, 0, 0],
      legend: { show: false },
      scales: { x: { time: false, range: (_, __, most) => [0, most || 1] }, y: yScale(logarithmic) },
      axes: [
        { ...axis, size: 20, space: 56, label: 'tokens', labelSize: 14, labelGap: 0, labelFont: axis.font },
        {
          ...axis,
          size: (_, values: string[] | null) =>
            10 + 0.62 * fontSize * Math.max(3, ...(values ?? []).map((value) => value.length)),
          space: 28,
          ...(logarithmic ? logarithmicAxis : {}),
          ...(trainingMetrics[this.#metric].unit === 'latents' ? { incrs: wholeIncrements } : {}),
        },
      ],
      series: [{}, ...this.#lines.map((line) => seriesOf(line))],
      cursor: {
        y: false,
        drag: { x: false, y: false, setScale: false },
        points: { size: 7 },
        sync: { key: group, setSeries: false, scales: ['x', null] },
      },
      hooks: {
        setCursor: [
          () => {
            this.#showReadout();
          },
        ],
        draw: [
          () => {
            this.#drawLetters();
          },
        ],
      },
    };
  }

  #showReadout(): void {
    const { cursor, data, over } = this.#plot;
    const { idx, left = -1 } = cursor;
    const tokens = typeof idx === 'number' ? data[0][idx] : undefined;
    // of several lines the box is large: one of them, where the pointer is, is enough
    if (tokens === undefined || left < 0 || (this.#lines.length > 1 && !over.matches(':hover'))) {
      this.#readout.hide();
      return;
    }
    const { format } = trainingMetrics[this.#metric];
    const entries = this.#lines.map((line, i) => {
      const at = cursor.idxs?.[i + 1];
      return { line, value: format(typeof at === 'number' ? data[i + 1]![at] : null) };
    });
    this.#readout.show(left, over.clientWidth, tokens, entries);
  }

  /** Names several lines where they end. */
  #drawLetters(): void {
    if (this.#lines.length < 2) return;
    const plot = this.#plot;
    const scale = uPlot.pxRatio;
    const ends = this.#lines.flatMap((line, i) => {
      const column = plot.data[i + 1]!;
      const last = column.findLastIndex((value) => typeof value === 'number');
      if (last < 0) return [];
      const x = plot.valToPos(plot.data[0][last]!, 'x', true);
      return [{ style: lineStyle(line.place), x, y: plot.valToPos(column[last]!, 'y', true) }];
    });
    const { top, height } = plot.bbox;
    const heights = spreadLabels(ends, fontSize * scale, top, top + height);
    const { ctx } = plot;
    const theme = chartTheme();
    ctx.save();
    ctx.font = `bold ${fontSize * scale}px ${theme.fontFamily}`;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'middle';
    ends.forEach(({ style, x }, i) => {
      ctx.fillStyle = theme.color(style.color);
      ctx.fillText(style.letter, x + 3 * scale, heights[i]!);
    });
    ctx.restore();
  }
}

function yScale(logarithmic: boolean): uPlot.Scale {
  if (!logarithmic) return { range: linearRange };
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enum of a declaration file has no values
  return { distr: 3, range: (_, lowest, highest) => [lowest / 1.15, highest * 1.15] };
}

const linearRange: uPlot.Range.Function = (_, min, max) => {
  // nothing to show has no range, whatever the types say
  if ((min as number | null) === null || (max as number | null) === null) return [min, max];
  const { lowest, highest } = linearSpan({ lowest: min, highest: max });
  const floor = lowest >= 0 ? { hard: 0 } : {};
  return uPlot.rangeNum(lowest, highest, { min: { pad: 0.05, ...floor }, max: { pad: 0.05 } });
};

const logarithmicAxis: uPlot.Axis = {
  splits: (_, __, lowest, highest) => logarithmicTicks({ lowest, highest }),
  filter: (_, splits) => splits,
  values: (_, splits) => splits.map(logarithmicTickText),
};

/** Distances between the ticks of a count: 1, 2, 5, 10 … */
const wholeIncrements = Array.from({ length: 7 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

function seriesOf(line: ChartLine): uPlot.Series {
  const { color, dash } = lineStyle(line.place);
  return {
    stroke: chartTheme().color(color),
    width: 1.5,
    dash,
    // a curve of one point has no line; asked at every draw, because the points become more
    points: { show: ({ data }, i) => [...data[i]!].filter((value) => typeof value === 'number').length === 1 },
  };
}
