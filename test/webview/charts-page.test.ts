import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Locator } from 'playwright-core';
import type { Series } from '../../src/shared/series.js';
import { openBrowser } from '../browser.js';
import themes from '../fixtures/themes.json';
import { PanelPage, type PanelOptions } from './panel-page.js';
import { endedRun, sampleEvaluation, sampleRun, sampleSeries } from './sample-run.js';

const browser = openBrowser();

async function open(t: TestContext, options: PanelOptions = {}): Promise<PanelPage> {
  const panel = await PanelPage.open(await browser, options);
  t.after(async () => {
    await panel.page.close();
    assert.deepEqual(panel.faults, []);
  });
  return panel;
}

/** A panel with one run in training and its charts. */
async function withCharts(t: TestContext, series: Series, options: PanelOptions = {}): Promise<PanelPage> {
  const panel = await open(t, options);
  await panel.send(
    { type: 'snapshot', runs: [sampleRun('a')], trusted: true },
    { type: 'series', id: 'a', start: 0, series },
  );
  return panel;
}

const chart = (panel: PanelPage, index: number) => panel.page.locator('iw-chart').nth(index);

/** Waits until a chart has more than `least` pixels of a line's colour and fewer than `most`. Resolves to how many. */
async function pixels(of: Locator, color: string, { least = 50, most = Infinity } = {}): Promise<number> {
  const counted = await of.page().waitForFunction(
    ({ host, hex, least, most }) => {
      const picture = host.shadowRoot!.querySelector('canvas');
      if (!picture) return false;
      // a copy, as reading a canvas changes how the browser keeps it
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [picture.width, picture.height];
      const context = canvas.getContext('2d', { willReadFrequently: true })!;
      context.drawImage(picture, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      const wanted = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
      let count = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3]! > 200 && wanted.every((value, c) => Math.abs(data[i + c]! - value) < 16)) count++;
      }
      return count > least && count < most && { count };
    },
    { host: await of.elementHandle(), hex: color, least, most },
  );
  const result = await counted.jsonValue();
  return result === false ? 0 : result.count;
}

const shows = (of: Locator, color: string) => pixels(of, color);
const showsNot = (of: Locator, color: string) => pixels(of, color, { least: -1, most: 1 });

const dark = themes.dark.variables;
const light = themes.light.variables;

test('a run has five charts, and each draws its line', async (t) => {
  const panel = await withCharts(t, sampleSeries(100), { width: 1600 });
  const labels = await panel.page.locator('iw-chart figcaption .label').allInnerTexts();
  assert.deepEqual(labels, ['Loss', 'L0', 'Explained variance', 'Dead latents', 'Speed']);
  for (let i = 0; i < 5; i++) await shows(chart(panel, i), dark['--vscode-charts-blue']);
});

test('a chart draws the points that come, and says what it shows in words', async (t) => {
  const panel = await withCharts(t, sampleSeries(10));
  const picture = chart(panel, 3).getByRole('img');
  assert.match((await picture.getAttribute('aria-label'))!, /^Line chart of Dead latents.* from 0 to 0 at 205k tokens/);
  const before = await shows(chart(panel, 3), dark['--vscode-charts-blue']);
  const whole = sampleSeries(100);
  const part = (values: number[]) => values.slice(10);
  const values = Object.fromEntries(Object.entries(whole.values).map(([name, all]) => [name, all.slice(10)]));
  const series = { stride: 1, step: part(whole.step), tokens: part(whole.tokens), values: values as Series['values'] };
  await panel.send({ type: 'series', id: 'a', start: 10, series });
  assert.match((await picture.getAttribute('aria-label'))!, /highest 20\./);
  await pixels(chart(panel, 3), dark['--vscode-charts-blue'], { least: 1.2 * before });
});

test('behind a chart is a table of its values', async (t) => {
  const panel = await withCharts(t, sampleSeries(100));
  await chart(panel, 1).getByRole('button', { name: 'Table: L0' }).press('Enter');
  const table = chart(panel, 1).getByRole('table');
  assert.equal(await table.getByRole('row').count(), 41);
  assert.deepEqual(await table.getByRole('row').last().locator('th, td').allInnerTexts(), ['2,048,000', '32.00']);
  assert.equal(await chart(panel, 1).getByRole('img').count(), 0);
  await chart(panel, 1).getByRole('button', { name: 'Table: L0' }).press('Enter');
  await shows(chart(panel, 1), dark['--vscode-charts-blue']);
});

test('a chart without values says so until the first one', async (t) => {
  const series = sampleSeries(3);
  series.values.tokens_per_second = [null, null, null];
  const panel = await withCharts(t, series, { width: 1600 });
  await chart(panel, 4).getByText('No values').waitFor();
  assert.match((await chart(panel, 4).getByRole('img').getAttribute('aria-label'))!, /no values/);
  await panel.send({ type: 'series', id: 'a', start: 0, series: sampleSeries(40) });
  await shows(chart(panel, 4), dark['--vscode-charts-blue']);
  assert.equal(await chart(panel, 4).getByText('No values').count(), 0);
});

test('charts take the colours of a new theme and the width of a new layout', async (t) => {
  const panel = await withCharts(t, sampleSeries(100));
  await shows(chart(panel, 0), dark['--vscode-charts-blue']);
  await panel.setTheme('light');
  await shows(chart(panel, 0), light['--vscode-charts-blue']);
  await showsNot(chart(panel, 0), dark['--vscode-charts-blue']);
  await panel.page.setViewportSize({ width: 320, height: 900 });
  await panel.page.waitForFunction(() => {
    const deep = (root: ParentNode, name: string) => root.querySelector(name)!.shadowRoot!;
    const card = deep(deep(document, 'iw-app'), 'iw-run-card');
    const { width } = deep(deep(card, 'iw-run-charts'), 'iw-chart').querySelector('canvas')!.getBoundingClientRect();
    return width > 200 && width < 320;
  });
});

test('the pointer reads the values of all charts at the same tokens', async (t) => {
  const panel = await withCharts(t, sampleSeries(100));
  await shows(chart(panel, 1), dark['--vscode-charts-blue']);
  await chart(panel, 0)
    .locator('.u-over')
    .hover({ position: { x: 60, y: 40 } });
  const readouts = await Promise.all([0, 1].map((i) => chart(panel, i).locator('.readout').innerText()));
  assert.match(readouts[0]!, /^\d+k tokens\s+\d/);
  assert.equal(readouts[1]!.split('tokens')[0], readouts[0]!.split('tokens')[0]);
  assert.match(readouts[1]!, /32\.00$/);
});

test('a loss of many magnitudes is drawn logarithmically until a person decides', async (t) => {
  const series = sampleSeries(100);
  series.values.train_loss = series.values.train_loss.map((_, i) => 1000 / (i + 1));
  const panel = await withCharts(t, series);
  const [loss, sparsity] = [chart(panel, 0), chart(panel, 1)].map((each) => each.getByRole('button', { name: /^Log/ }));
  assert.equal(await loss!.getAttribute('aria-pressed'), 'true');
  assert.equal(await sparsity!.getAttribute('aria-pressed'), 'false');
  await loss!.click();
  assert.equal(await loss!.getAttribute('aria-pressed'), 'false');
  await panel.send({ type: 'series', id: 'a', start: 0, series });
  assert.equal(await loss!.getAttribute('aria-pressed'), 'false');
});

/** The longer, the worse; so that no line hides another. */
function seriesOf(place: number): Series {
  const series = sampleSeries(50 * (place + 1));
  const worse = series.values.explained_variance.map((value) => value! - 0.2 * place);
  return { ...series, values: { ...series.values, explained_variance: worse } };
}

/** A panel that compares three runs. */
async function withComparison(t: TestContext): Promise<PanelPage> {
  const panel = await open(t, { width: 1600 });
  const evaluations = [{ ...sampleEvaluation, explained_variance: 0.8 }, null, sampleEvaluation];
  const runs = ['a', 'b', 'c'].map((id, i) => {
    const { config } = endedRun(id, 'completed');
    const createdAt = `2026-11-22T15:0${i}:00.000Z`;
    return endedRun(id, 'completed', { createdAt, evaluation: evaluations[i]!, config: { ...config, k: 16 << i } });
  });
  await panel.send(
    { type: 'snapshot', runs, trusted: true },
    { type: 'show', view: { name: 'compare', ids: ['a', 'b', 'c'] } },
    ...runs.map(({ id }, i) => ({ type: 'series' as const, id, start: 0, series: seriesOf(i) })),
  );
  return panel;
}

const colors = ['blue', 'red', 'green'].map((name) => dark[`--vscode-charts-${name}` as keyof typeof dark]);

test('compared runs lie over one another, and the legend hides and shows each', async (t) => {
  const panel = await withComparison(t);
  for (const color of colors) await shows(chart(panel, 2), color);
  const second = panel.page.getByRole('group', { name: /charts/ }).getByRole('button', { name: 'B Demo b' });
  assert.equal(await second.getAttribute('aria-pressed'), 'true');
  await second.press('Space');
  assert.equal(await second.getAttribute('aria-pressed'), 'false');
  await showsNot(chart(panel, 2), colors[1]!);
  await shows(chart(panel, 2), colors[2]!);
  await second.press('Space');
  await shows(chart(panel, 2), colors[1]!);
});

test('the table of results sorts by keyboard, dashes last, and marks the best', async (t) => {
  const panel = await withComparison(t);
  const table = panel.page.getByRole('region', { name: 'Results of the compared runs' });
  const order = () => table.getByRole('rowheader').allInnerTexts();
  assert.deepEqual(await order(), ['A Demo a', 'B Demo b', 'C Demo c']);
  const heading = table.getByRole('columnheader', { name: 'Explained variance' });
  await heading.getByRole('button').press('Enter');
  assert.equal(await heading.getAttribute('aria-sort'), 'descending');
  assert.deepEqual(await order(), ['C Demo c', 'A Demo a', 'B Demo b']);
  await heading.getByRole('button').press('Enter');
  assert.equal(await heading.getAttribute('aria-sort'), 'ascending');
  assert.deepEqual(await order(), ['A Demo a', 'C Demo c', 'B Demo b']);
  const cells = table.getByRole('row', { name: 'C Demo c' }).getByRole('cell');
  assert.equal(await cells.first().innerText(), '★ 0.9533');
  await cells.first().getByRole('img', { name: 'best' }).waitFor();
  const unknown = table.getByRole('row', { name: 'B Demo b' }).getByRole('cell').first();
  assert.equal(await unknown.innerText(), '–');
  assert.equal(await unknown.getAttribute('title'), 'Not evaluated yet.');
});

test('what is the same for all runs is told once, and what differs has a column', async (t) => {
  const panel = await withComparison(t);
  const same = await panel.page.locator('iw-compare-table .same').innerText();
  assert.match(same, /^Same for all: Model bundled:demo-gpt2 · .*Architecture topk/);
  assert.doesNotMatch(same, /\bk \d/);
  await panel.page.getByRole('columnheader', { name: 'k', exact: true }).waitFor();
});

test('a group of one narrow column keeps its name in one line', async (t) => {
  const panel = await withComparison(t);
  const heightOf = async (cell: string) => (await panel.page.locator(cell).last().boundingBox())!.height;
  assert.ok((await heightOf('th[scope="colgroup"]')) < 1.5 * (await heightOf('th[scope="row"]')));
});

test('the results can be copied', async (t) => {
  const panel = await withComparison(t);
  await panel.page.evaluate(() => {
    const written: string[] = [];
    const clipboard = { writeText: (text: string) => Promise.resolve(written.push(text)) };
    Object.defineProperty(navigator, 'clipboard', { value: clipboard });
    Object.assign(window, { written });
  });
  await panel.page.getByRole('button', { name: 'Copy as Markdown' }).click();
  await panel.page.getByRole('status').getByText('Copied.').waitFor();
  const [text] = await panel.page.evaluate(() => (window as unknown as { written: string[] }).written);
  assert.match(text!, /^\| Run \| Explained variance \| L0 \|/);
  assert.match(text!, /\| Demo b \| – \| – \|/);
});

test('from a comparison one goes back to the runs', async (t) => {
  const panel = await withComparison(t);
  await panel.page.getByRole('button', { name: 'Back to Runs' }).click();
  await panel.page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
});
