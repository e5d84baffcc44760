import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOfRuns } from '../../src/extension/run-context.js';
import type { JobStatus } from '../../src/shared/events.js';
import { runState } from './run.js';

const on = (status: JobStatus, owner?: 'elsewhere') => {
  const keys = contextOfRuns([runState(status, owner === undefined ? {} : { owner })]);
  return Object.entries(keys).flatMap(([key, value]) => (value ? [key] : []));
};

test('each state of a run allows what makes sense in it', () => {
  assert.deepEqual(on('queued'), ['active', 'runs']);
  assert.deepEqual(on('training'), ['active', 'running', 'runs']);
  assert.deepEqual(on('paused'), ['active', 'paused', 'runs']);
  assert.deepEqual(on('interrupted'), ['resumable', 'deletable', 'runs']);
  assert.deepEqual(on('failed'), ['resumable', 'deletable', 'runs']);
  assert.deepEqual(on('completed'), ['completed', 'deletable', 'runs']);
});

test('nothing can be done to a run that another process trains', () => {
  assert.deepEqual(on('training', 'elsewhere'), ['runs']);
});

test('without runs nothing is possible', () => {
  assert.ok(Object.values(contextOfRuns([])).every((value) => !value));
});
