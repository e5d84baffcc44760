import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunState } from '../../src/shared/panel.js';
import { RunStore, type Change } from '../../src/webview/store.js';
import { endedRun, sampleProgress, sampleRun, sampleSeries } from './sample-run.js';

function storeOf(...runs: RunState[]): { store: RunStore; changes: Change[] } {
  const store = new RunStore();
  store.apply({ type: 'snapshot', runs, trusted: true });
  const changes: Change[] = [];
  store.subscribe((change) => changes.push(change));
  return { store, changes };
}

test('a snapshot replaces everything that was known', () => {
  const { store } = storeOf(sampleRun('a'), sampleRun('b'));
  store.apply({ type: 'series', id: 'a', start: 0, series: sampleSeries(3) });
  store.apply({ type: 'snapshot', runs: [sampleRun('c')], trusted: false });
  assert.deepEqual(store.ids, ['c']);
  assert.equal(store.run('a'), undefined);
  assert.equal(store.series('a'), undefined);
  assert.equal(store.trusted, false);
});

test('a snapshot keeps the series of runs that are still there: the host goes on from where it was', () => {
  const { store } = storeOf(sampleRun('a'));
  store.apply({ type: 'series', id: 'a', start: 0, series: sampleSeries(3) });
  store.apply({ type: 'snapshot', runs: [sampleRun('a')], trusted: true });
  assert.equal(store.series('a')?.step.length, 3);
});

test('active runs come first, each group newest first, also after a run has ended', () => {
  const at = (minute: number) => ({ createdAt: `2026-11-22T15:0${minute}:00.000Z` });
  const { store } = storeOf(
    endedRun('new', 'completed', at(9)),
    sampleRun('old', at(1)),
    sampleRun('middle', at(5)),
    endedRun('oldest', 'failed', at(0)),
  );
  assert.deepEqual(store.ids, ['middle', 'old', 'new', 'oldest']);
  store.apply({ type: 'progress', events: [sampleProgress('middle', { status: 'cancelled', seq: 43 })] });
  assert.deepEqual(store.ids, ['old', 'new', 'middle', 'oldest']);
});

test('progress of a run replaces only its progress and tells only who follows it', () => {
  const { store, changes } = storeOf(sampleRun('a'), sampleRun('b'));
  const other = store.run('b');
  const told: string[] = [];
  store.follow('a', () => told.push('a'));
  store.follow('b', () => told.push('b'));
  store.apply({ type: 'progress', events: [sampleProgress('a', { step: 1300, seq: 43 })] });
  assert.equal(store.run('a')?.progress.step, 1300);
  assert.equal(store.run('a')?.name, 'Demo a');
  assert.equal(store.run('b'), other);
  assert.deepEqual(told, ['a']);
  assert.deepEqual(
    changes.map(({ list }) => list),
    [false],
  );
});

test('who no longer follows a run is not told', () => {
  const { store } = storeOf(sampleRun('a'));
  let told = 0;
  const stop = store.follow('a', () => told++);
  stop();
  store.apply({ type: 'progress', events: [sampleProgress('a', { seq: 43 })] });
  assert.equal(told, 0);
});

test('progress that is older than what is known is left out: a late message never revives a run that failed', () => {
  const { store } = storeOf(endedRun('a', 'failed'));
  store.apply({ type: 'progress', events: [sampleProgress('a', { status: 'training', seq: 41 })] });
  assert.equal(store.run('a')?.progress.status, 'failed');
  store.apply({ type: 'progress', events: [sampleProgress('a', { status: 'training', seq: 3, attempt: 2 })] });
  assert.equal(store.run('a')?.progress.status, 'training');
});

test('what is told of unknown runs changes nothing', () => {
  const { store, changes } = storeOf(sampleRun('a'));
  store.apply({ type: 'progress', events: [sampleProgress('x')] });
  store.apply({ type: 'series', id: 'x', start: 0, series: sampleSeries(2) });
  store.apply({ type: 'runs', changed: [], removed: ['x'] });
  assert.deepEqual(store.ids, ['a']);
  assert.equal(store.series('x'), undefined);
  assert.deepEqual(changes, []);
});

test('runs come, change and go', () => {
  const { store, changes } = storeOf(sampleRun('a'), sampleRun('b'));
  store.apply({ type: 'runs', changed: [sampleRun('c'), { ...sampleRun('a'), responding: false }], removed: ['b'] });
  assert.deepEqual([...store.ids].sort(), ['a', 'c']);
  assert.equal(store.run('a')?.responding, false);
  assert.deepEqual(
    changes[0]?.runs.map(({ before, now }) => [before?.id, now.id]),
    [
      [undefined, 'c'],
      ['a', 'a'],
    ],
  );
});

test('a series goes on from where its points start', () => {
  const { store } = storeOf(sampleRun('a'));
  const whole = sampleSeries(6);
  store.apply({ type: 'series', id: 'a', start: 0, series: sampleSeries(4) });
  const from = (start: number) => ({
    stride: 1,
    step: whole.step.slice(start),
    tokens: whole.tokens.slice(start),
    values: Object.fromEntries(
      Object.entries(whole.values).map(([name, values]) => [name, values.slice(start)]),
    ) as typeof whole.values,
  });
  store.apply({ type: 'series', id: 'a', start: 3, series: from(3) });
  assert.deepEqual(store.series('a'), whole);
  store.apply({ type: 'series', id: 'a', start: 0, series: sampleSeries(2) });
  assert.equal(store.series('a')?.step.length, 2);
});

test('points behind a gap are left out', () => {
  const { store } = storeOf(sampleRun('a'));
  store.apply({ type: 'series', id: 'a', start: 5, series: sampleSeries(2) });
  assert.equal(store.series('a'), undefined);
});
