import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf, iconOf, summaryOf } from '../../../src/extension/runs/run-text.js';
import { emptyMetrics, jobStatuses } from '../../../src/shared/events.js';
import { runActions } from '../../../src/shared/panel.js';
import { sampleEvaluation, sampleRun } from '../../webview/sample-run.js';
import { translate } from '../translate.js';

const summary = (...args: Parameters<typeof sampleRun>) => summaryOf(sampleRun(...args), translate);

test('beside a run that trains stand percent, loss and the time left', () => {
  assert.equal(summary('a'), '48.6 % · loss 12.34 · 1:02 left');
  assert.equal(summary('a', { responding: false }), 'not responding');
});

test('beside a completed run stands how good it is: held out where that is known', () => {
  const completed = { status: 'completed', progress: 100 } as const;
  assert.equal(summary('a', { owner: 'nobody', evaluation: sampleEvaluation }, completed), 'EV 0.953 · L0 32.0');
  assert.equal(summary('a', { owner: 'nobody' }, completed), 'EV 0.907 · L0 31.9');
  assert.equal(summary('a', { owner: 'nobody' }, { ...completed, metrics: emptyMetrics }), 'completed');
});

test('beside a run that ended otherwise stands how far it came', () => {
  for (const status of ['failed', 'cancelled', 'interrupted'] as const) {
    assert.equal(summary('a', { owner: 'nobody' }, { status }), `${status} at 48.6 %`);
    assert.equal(summary('a', { owner: 'nobody' }, { status, progress: 0 }), status);
  }
});

test('every status has an icon; those at work turn', () => {
  const icon = (status: (typeof jobStatuses)[number]) => iconOf(sampleRun('a', {}, { status })).id;
  const turning = jobStatuses.filter((status) => icon(status).endsWith('~spin'));
  assert.deepEqual(turning, ['starting', 'preparing', 'training']);
});

test('the menu of a run offers each action by a word of its own', () => {
  const words = (...args: Parameters<typeof sampleRun>) => contextOf(sampleRun(...args));
  const offered = (context: string) => runActions.filter((action) => new RegExp(`\\b${action}\\b`).test(context));
  assert.deepEqual(offered(words('a')), ['pause', 'cancel', 'openFolder', 'showLogs']);
  assert.deepEqual(offered(words('a', {}, { status: 'paused' })), ['resume', 'cancel', 'openFolder', 'showLogs']);
  assert.match(words('a', {}, { status: 'paused' }), /\bpaused\b/);
  assert.doesNotMatch(words('a', { owner: 'nobody' }, { status: 'failed' }), /\bpaused\b/);
  assert.deepEqual(offered(words('a', { owner: 'elsewhere' })), ['openFolder', 'showLogs']);
});
