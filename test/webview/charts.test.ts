import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../../src/shared/series.js';
import {
  isCut,
  linearSpan,
  logarithmicTicks,
  logarithmicTickText,
  suitsLogarithm,
  tickText,
} from '../../src/webview/charts/axis.js';
import { spreadLabels } from '../../src/webview/charts/end-labels.js';
import { joinByTokens, summarise, tableRows } from '../../src/webview/charts/join.js';
import { lineStyle, type ChartLine } from '../../src/webview/charts/line.js';
import { RedrawQueue, type Drawable } from '../../src/webview/charts/redraw-queue.js';
import { chartTable, describeChart } from '../../src/webview/charts/text.js';

test('curves of different strides share one axis', () => {
  const joined = joinByTokens([
    { tokens: [10, 20, 30, 40], values: [4, 3, null, 1] },
    { tokens: [20, 40, 60], values: [9, 8, 7] },
  ]);
  assert.deepEqual(joined.tokens, [10, 20, 30, 40, 60]);
  assert.deepEqual(joined.columns, [
    [4, 3, null, 1, undefined],
    [undefined, 9, undefined, 8, 7],
  ]);
  assert.deepEqual(joinByTokens([]), { tokens: [], columns: [] });
});

test('the table behind a chart has few rows, the first and the last point among them', () => {
  const tokens = Array.from({ length: 1000 }, (_, i) => 10 * (i + 1));
  const rows = tableRows([{ tokens, values: tokens.map((at) => at / 10) }], 40);
  assert.equal(rows.length, 40);
  assert.deepEqual(rows[0], { tokens: 10, values: [1] });
  assert.deepEqual(rows.at(-1), { tokens: 10_000, values: [1000] });
  assert.deepEqual(tableRows([{ tokens: [5], values: [2] }], 40), [{ tokens: 5, values: [2] }]);
});

test('a row has the newest value of each curve, and none outside of it', () => {
  const rows = tableRows(
    [
      { tokens: [10, 20, 30, 40], values: [1, 2, 3, 4] },
      { tokens: [20, 35], values: [7, null] },
    ],
    40,
  );
  assert.deepEqual(
    rows.map(({ tokens, values }) => [tokens, ...values]),
    [
      [10, 1, null],
      [20, 2, 7],
      [30, 3, 7],
      [35, 3, null],
      [40, 4, null],
    ],
  );
});

test('a summary passes over unknown values', () => {
  assert.deepEqual(summarise([null, 3, 1, null, 2, null]), { first: 3, last: 2, lowest: 1, highest: 3 });
  assert.equal(summarise([null]), null);
});

test('twelve lines differ in colour and dashes, neighbours in both', () => {
  const styles = Array.from({ length: 12 }, (_, place) => lineStyle(place));
  assert.equal(new Set(styles.map(({ color, dash }) => `${color} ${dash.join(' ')}`)).size, 12);
  assert.equal(styles.map(({ letter }) => letter).join(''), 'ABCDEFGHIJKL');
  for (const [place, style] of styles.slice(1).entries()) {
    assert.notEqual(style.color, styles[place]!.color);
    assert.notDeepEqual(style.dash, styles[place]!.dash);
  }
});

test('labels at the ends of lines do not cover one another and stay in the chart', () => {
  const labels = [
    { x: 100, y: 95 },
    { x: 100, y: 96 },
    { x: 104, y: 10 },
    { x: 100, y: 97 },
    { x: 50, y: 96 },
  ];
  const heights = spreadLabels(labels, 10, 0, 100);
  assert.deepEqual(heights, [80, 90, 10, 100, 96]);
});

const series = (values: (number | null)[]): Series => {
  const empty = values.map(() => null);
  return {
    stride: 1,
    step: values.map((_, i) => i + 1),
    tokens: values.map((_, i) => 1000 * (i + 1)),
    values: {
      train_loss: values,
      l0: empty,
      explained_variance: empty,
      dead_features: empty,
      tokens_per_second: empty,
    },
  };
};

test('values over many magnitudes suit a logarithm, values that touch 0 never', () => {
  assert.equal(suitsLogarithm({ lowest: 17, highest: 12_000 }), true);
  assert.equal(suitsLogarithm({ lowest: 17, highest: 204 }), false);
  assert.equal(suitsLogarithm({ lowest: 0, highest: 204 }), false);
});

test('a linear axis leaves negative values out only if there are others', () => {
  assert.deepEqual(linearSpan({ lowest: -50, highest: 0.9 }), { lowest: 0, highest: 0.9 });
  assert.deepEqual(linearSpan({ lowest: -50, highest: -1 }), { lowest: -50, highest: -1 });
  assert.equal(isCut({ lowest: 0.1, highest: 0.9 }), false);
});

test('values that hardly differ are not shown close up', () => {
  assert.deepEqual(linearSpan({ lowest: 31.999, highest: 32 }), { lowest: 32, highest: 32 });
  assert.deepEqual(linearSpan({ lowest: 30, highest: 32 }), { lowest: 30, highest: 32 });
});

test('ticks have the digits that tell them apart, and no more', () => {
  const texts = (increment: number, ...values: number[]) => values.map((value) => tickText(value, increment));
  assert.deepEqual(texts(500_000, 0, 500_000, 1_000_000, 1_500_000), ['0', '500k', '1M', '1.5M']);
  assert.deepEqual(texts(0.0025, 0.92, 0.9225, 0.925), ['0.92', '0.9225', '0.925']);
  assert.deepEqual(texts(250, 15_750, 16_000), ['15.75k', '16k']);
  assert.deepEqual(texts(0.1, -0.2, 0.1 + 0.2), ['-0.2', '0.3']);
});

test('logarithmic ticks are powers of ten, or finer where there are few', () => {
  const ticks = (lowest: number, highest: number) => logarithmicTicks({ lowest, highest }).map(logarithmicTickText);
  assert.deepEqual(ticks(15, 12_000), ['100', '1k', '10k']);
  assert.deepEqual(ticks(15, 230), ['20', '50', '100', '200']);
  assert.deepEqual(ticks(0.015, 0.06), ['0.02', '0.03', '0.04', '0.05', '0.06']);
  for (const lowest of [1.1, 3.3, 5.1, 7.7]) {
    const narrow = logarithmicTicks({ lowest, highest: 1.32 * lowest });
    assert.ok(narrow.length >= 3 && narrow.length <= 6, String(narrow));
  }
});

test('a chart tells in words what it shows', () => {
  const one: ChartLine = { id: 'a', name: 'first', place: 0, series: series([204.4, 20, 17.04, 18]) };
  const text = describeChart('train_loss', [one]);
  assert.match(text, /^Line chart of Loss, .*over tokens seen\./);
  assert.match(text, /from 204\.4 to 18\.00 at 4k tokens, lowest 17\.04, highest 204\.4\./);
  assert.match(describeChart('l0', [one, { ...one, name: 'second' }]), /first: no values\. second: no values\./);
});

test('the table of several runs names them in its head', () => {
  const a: ChartLine = { id: 'a', name: 'first', place: 0, series: series([2, 1]) };
  const b: ChartLine = { id: 'b', name: 'second', place: 1, series: series([3]) };
  assert.deepEqual(chartTable('train_loss', [a, b]), {
    head: ['Tokens', 'first', 'second'],
    rows: [
      ['1,000', '2.000', '3.000'],
      ['2,000', '1.000', '–'],
    ],
  });
  assert.deepEqual(chartTable('train_loss', [a]).head, ['Tokens', 'Loss']);
});

/** A browser's time, in the test's hands: frames come every 16 ms. */
class Time {
  milliseconds = 0;
  #later: { at: number; callback: () => void }[] = [];

  now = () => this.milliseconds;
  request = (callback: () => void) => {
    this.wait(callback, 16 - (this.milliseconds % 16));
  };
  wait = (callback: () => void, milliseconds: number) => {
    this.#later.push({ at: this.milliseconds + milliseconds, callback });
  };

  /** Runs what is planned until then. Returns at how many moments something ran. */
  until(milliseconds: number): number {
    const moments = new Set<number>();
    for (;;) {
      const next = this.#later.sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > milliseconds) break;
      this.#later.shift();
      this.milliseconds = Math.max(this.milliseconds, next.at);
      moments.add(next.at);
      next.callback();
    }
    this.milliseconds = Math.max(this.milliseconds, milliseconds);
    return moments.size;
  }
}

/** A chart that takes so many milliseconds to draw. */
const chartTaking = (time: Time, milliseconds: number) => {
  const drawn: number[] = [];
  const chart: Drawable = {
    draw: () => {
      drawn.push(time.now());
      time.milliseconds += milliseconds;
    },
  };
  return { chart, drawn };
};

test('charts share frames: no frame takes much more than its part, and all get their turn', () => {
  const time = new Time();
  const queue = new RedrawQueue(time);
  const charts = Array.from({ length: 10 }, () => chartTaking(time, 3));
  for (const { chart } of charts) queue.request(chart);
  const frames = time.until(200);
  assert.equal(frames, 5);
  assert.deepEqual(
    charts.map(({ drawn }) => drawn.length),
    Array(10).fill(1),
  );
});

test('a chart is drawn at most every 400 ms however often it is asked for, and once after the last time', () => {
  const time = new Time();
  const queue = new RedrawQueue(time);
  const { chart, drawn } = chartTaking(time, 1);
  const another = chartTaking(time, 1);
  for (let at = 0; at < 2000; at += 100) {
    time.until(at);
    queue.request(chart);
    queue.request(another.chart, true);
  }
  time.until(4000);
  assert.ok(drawn.length >= 5 && drawn.length <= 7, String(drawn));
  assert.ok(
    drawn.every((at, i) => i === 0 || at - drawn[i - 1]! >= 400),
    String(drawn),
  );
  assert.ok(drawn.at(-1)! > 1900);
  assert.equal(time.until(10_000), 0);
});

test('what a person waits for is drawn in the next frame, and what was cancelled never', () => {
  const time = new Time();
  const queue = new RedrawQueue(time);
  const [shown, gone] = [chartTaking(time, 1), chartTaking(time, 1)];
  queue.request(shown.chart);
  time.until(50);
  queue.request(shown.chart);
  queue.request(gone.chart);
  queue.request(shown.chart, true);
  queue.cancel(gone.chart);
  time.until(70);
  assert.equal(shown.drawn.length, 2);
  time.until(1000);
  assert.equal(gone.drawn.length, 0);
});

test('a chart that cannot be drawn does not keep the others from it', () => {
  const time = new Time();
  const queue = new RedrawQueue(time);
  const { chart, drawn } = chartTaking(time, 1);
  queue.request({
    draw: () => {
      throw new Error('broken');
    },
  });
  queue.request(chart);
  assert.throws(() => time.until(20), /broken/);
  time.until(1000);
  assert.equal(drawn.length, 1);
});
