import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyMetrics } from '../../src/shared/events.js';
import { statusOf } from '../../src/extension/status.js';
import { runState } from './run.js';
import { translate } from './translate.js';

const textOf = (...runs: Parameters<typeof statusOf>[0]) => statusOf(runs, undefined, translate)?.text;

test('a run that trains shows percent, loss and time left beside a spinner', () => {
  const status = statusOf([runState('training')], undefined, translate);
  assert.deepEqual(status, { icon: 'loading~spin', text: 'SAE 42.0 % · loss 12.34 · 3:20 left', failed: false });
});

test('what is not known yet is left out', () => {
  const progress = { estimated_remaining: null, metrics: emptyMetrics };
  assert.equal(textOf(runState('training', {}, progress)), 'SAE 42.0 %');
});

test('before training it is the phase that moves', () => {
  const progress = { phase: 'extracting', phase_progress: 34, progress: 0, estimated_remaining: null } as const;
  const metrics = emptyMetrics;
  assert.equal(textOf(runState('preparing', {}, { ...progress, metrics })), 'SAE Activations 34.0 %');
});

test('after the last step it says what is still being done', () => {
  const progress = { phase: 'evaluating', progress: 95, estimated_remaining: 4 } as const;
  assert.equal(textOf(runState('training', {}, progress)), 'SAE 95.0 % · Evaluation · 0:04 left');
});

test('a paused run stands still and has no time left to count', () => {
  const status = statusOf([runState('paused')], undefined, translate);
  assert.deepEqual(status, { icon: 'debug-pause', text: 'SAE paused at 42.0 % · loss 12.34', failed: false });
});

test('an engine that is silent is told of', () => {
  const status = statusOf([runState('training', { responding: false })], undefined, translate);
  assert.deepEqual(status, { icon: 'warning', text: 'SAE not responding', failed: false });
});

test('a run of another process is called that', () => {
  assert.match(textOf(runState('training', { owner: 'elsewhere' })) ?? '', / · in another process$/);
});

test('several runs are counted by what they do', () => {
  const runs = [runState('training'), runState('preparing'), runState('paused'), runState('queued')];
  assert.equal(textOf(...runs), 'SAE 2 training · 1 paused · 1 waiting');
  assert.equal(textOf(runs[2]!, runs[3]!), 'SAE 1 paused · 1 waiting');
});

test('the result of a run is shown until something trains again', () => {
  const done = runState('completed', {}, { progress: 100 });
  assert.deepEqual(statusOf([done], done, translate), { icon: 'check', text: 'SAE done · EV 0.907', failed: false });
  const next = runState('training', { id: 'b' });
  assert.equal(statusOf([next, done], done, translate)?.icon, 'loading~spin');
});

test('a failure is marked', () => {
  const failed = runState('failed');
  assert.deepEqual(statusOf([failed], failed, translate), {
    icon: 'warning',
    text: 'SAE failed at 42.0 %',
    failed: true,
  });
  const unbegun = runState('failed', {}, { progress: 0 });
  assert.equal(statusOf([unbegun], unbegun, translate)?.text, 'SAE failed');
});

test('with runs but no news there is only the name, and without runs nothing', () => {
  assert.equal(textOf(runState('completed')), 'SAE');
  assert.equal(statusOf([], undefined, translate), undefined);
});
