import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { metricsPath } from '../../src/run/layout.js';
import { appendMetrics, truncateMetrics, type MetricsLine } from '../../src/run/records.js';
import { emptyMetrics } from '../../src/shared/events.js';
import { SeriesBuilder, withPart, type Series } from '../../src/shared/series.js';
import { SeriesFile } from '../../src/workbench/series-file.js';
import { SeriesFollower } from '../../src/workbench/series-follower.js';
import { temporaryFolder } from './small-run.js';

const folder = temporaryFolder();
const fresh = () => mkdtempSync(path.join(folder, 'case-'));
let clock = 0;

/** Lines of the steps from `first` to `last`, written at a time of their own. */
const lines = (first: number, last: number): MetricsLine[] =>
  Array.from({ length: last - first + 1 }, (_, i) => ({
    step: first + i,
    epoch: 1,
    tokens: (first + i) * 10,
    tokens_per_second: 5,
    metrics: { ...emptyMetrics, train_loss: 1 / (first + i) },
    timestamp: new Date(clock++).toISOString(),
  }));

async function wholeOf(dir: string): Promise<Series> {
  const part = await new SeriesFile(dir).look();
  assert.equal(part?.start, 0);
  return part.series;
}
const empty = new SeriesBuilder().take().series;

test('only what was added is told, and nothing when nothing was', async () => {
  const dir = fresh();
  const file = new SeriesFile(dir);
  assert.deepEqual(await file.look(), { start: 0, series: empty }, 'a file that does not exist is an empty one');
  assert.equal(await file.look(), null);
  await appendMetrics(dir, ...lines(1, 3));
  assert.deepEqual((await file.look())?.series.step, [1, 2, 3]);
  await appendMetrics(dir, ...lines(4, 5));
  const part = await file.look();
  assert.equal(part?.start, 3);
  assert.deepEqual(part.series.step, [4, 5]);
  assert.equal(await file.look(), null);
});

test('a line that is not whole yet is told once it is, and a damaged one is passed over', async () => {
  const dir = fresh();
  await appendMetrics(dir, ...lines(1, 2));
  const all = readFileSync(metricsPath(dir), 'utf8');
  rmSync(metricsPath(dir));
  const file = new SeriesFile(dir);
  let received = (await file.look())!.series;
  for (let end = 0; end < all.length; end += 7) {
    appendFileSync(metricsPath(dir), all.slice(end, end + 7));
    const part = await file.look();
    if (part) received = withPart(received, part);
    assert.equal(received.step.length, all.slice(0, end + 7).split('\n').length - 1);
  }
  appendFileSync(metricsPath(dir), 'no JSON\n{"step": 3}\n');
  await appendMetrics(dir, ...lines(4, 4));
  received = withPart(received, (await file.look())!);
  assert.deepEqual(received.step, [1, 2, 4]);
  assert.deepEqual(received, await wholeOf(dir));
});

test('of a file that a resume cut back the whole is told again, also when it is longer by then', async () => {
  for (const [kept, written] of [
    [5, 0],
    [5, 2],
    [5, 5],
    [5, 20],
    [0, 10],
    [0, 0],
  ] as const) {
    const dir = fresh();
    await appendMetrics(dir, ...lines(1, 10));
    const file = new SeriesFile(dir);
    let received = (await file.look())!.series;
    await truncateMetrics(dir, kept);
    if (written > 0) await appendMetrics(dir, ...lines(kept + 1, kept + written));
    const part = await file.look();
    assert.equal(part?.start, 0);
    received = withPart(received, part);
    assert.deepEqual(received, await wholeOf(dir));
    assert.equal(received.step.length, kept + written);
  }
});

test('a file is followed through thousands of lines as it grows', async () => {
  const dir = fresh();
  const file = new SeriesFile(dir);
  let received = (await file.look())!.series;
  for (let first = 1; first < 3000; first += 250) {
    await appendMetrics(dir, ...lines(first, first + 249));
    received = withPart(received, (await file.look())!);
    assert.deepEqual(received, await wholeOf(dir));
  }
  assert.equal(received.step.at(-1), 3000);
});

test('many nudges make few looks, and the last of them is not lost', async () => {
  const dir = fresh();
  const times: number[] = [];
  await new Promise<void>((resolve, reject) => {
    const follower = new SeriesFollower(
      dir,
      ({ series }) => {
        times.push(performance.now());
        if (series.step.at(-1) !== 200) return;
        follower.stop();
        resolve();
      },
      reject,
    );
    void (async () => {
      for (let step = 1; step <= 200; step++) {
        await appendMetrics(dir, ...lines(step, step));
        follower.nudge();
      }
    })();
  });
  assert.ok(times.length < 20);
  for (const [i, time] of times.entries()) assert.ok(i === 0 || time - times[i - 1]! > 400);
});

test('what cannot be read is reported, and told once it can be', async () => {
  const dir = fresh();
  mkdirSync(metricsPath(dir));
  const series = await new Promise<Series>((resolve) => {
    const follower = new SeriesFollower(
      dir,
      (part) => {
        follower.stop();
        resolve(part.series);
      },
      (error) => {
        assert.equal((error as NodeJS.ErrnoException).code, 'EISDIR');
        rmdirSync(metricsPath(dir));
        void appendMetrics(dir, ...lines(1, 2)).then(() => {
          follower.nudge();
        });
      },
    );
    follower.nudge();
  });
  assert.deepEqual(series.step, [1, 2]);
});
