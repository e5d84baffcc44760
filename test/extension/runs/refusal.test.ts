import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nothingToDo, refusal } from '../../../src/extension/runs/refusal.js';
import { jobStatuses } from '../../../src/shared/events.js';
import { possibleActions, runActions } from '../../../src/shared/panel.js';
import { sampleRun } from '../../webview/sample-run.js';
import { translate } from '../translate.js';

test('exactly what is not possible is refused', () => {
  for (const status of jobStatuses) {
    for (const owner of ['here', 'elsewhere', 'nobody'] as const) {
      const run = sampleRun('a', { owner }, { status });
      const refused = runActions.filter((action) => refusal(run, action, translate) !== undefined);
      assert.deepEqual(
        refused,
        runActions.filter((action) => !possibleActions(run).includes(action)),
      );
    }
  }
});

test('a refusal says what the run is and what cannot be done to it', () => {
  const { problem } = refusal(sampleRun('a', { owner: 'nobody' }, { status: 'completed' }), 'pause', translate)!;
  assert.equal(problem.code, 'wrong_state');
  assert.equal(problem.message, '“Demo a” is completed and cannot be paused.');
});

test('a run of another window is refused as that', () => {
  const { problem } = refusal(sampleRun('a', { owner: 'elsewhere' }), 'cancel', translate)!;
  assert.equal(problem.code, 'run_in_use');
  assert.match(problem.message, /another window or program/);
  assert.match(problem.hint, /window or terminal/);
});

test('without any run there is nothing to do, which is said', () => {
  assert.equal(nothingToDo('resume', translate).problem.message, 'There is no run that can be resumed now.');
});
