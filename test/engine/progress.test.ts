import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { Progress } from '../../src/engine/progress.js';
import { emptyMetrics, engineProgressSchema, type EngineProgress } from '../../src/shared/events.js';

const position = { totalSteps: 40, stepsPerEpoch: 10, batchSize: 8 };

/** A progress over a clock that the test moves. */
function clocked() {
  const events: EngineProgress[] = [];
  const clock = { ms: 0 };
  const progress = new Progress(
    (event) => events.push(event),
    () => clock.ms,
  );
  return { events, clock, progress, last: () => events.at(-1)! };
}

test('a whole run’s progress is valid, never falls and never reaches 100 before the files are there', () => {
  const { events, clock, progress } = clocked();
  for (const phase of ['loading_model', 'tokenizing', 'extracting'] as const) {
    progress.begin('preparing', phase, 10);
    for (let i = 1; i <= 10; i++) {
      clock.ms += 300;
      progress.advance(i);
    }
  }
  progress.begin('training', 'training', 40);
  for (let step = 1; step <= 40; step++) {
    clock.ms += 300;
    progress.training({ ...position, step }, { ...emptyMetrics, train_loss: 1 / step });
    progress.expect('evaluating', 4);
    progress.expect('saving', 1);
    progress.advance(step);
  }
  progress.begin('training', 'evaluating', 10);
  progress.begin('training', 'saving');
  for (const event of events) v.parse(engineProgressSchema, event);
  const shares = events.map((event) => event.progress);
  assert.deepEqual(
    shares,
    [...shares].sort((a, b) => a - b),
  );
  assert.equal(Math.max(...shares), 99.9);
  assert.deepEqual([...new Set(events.map((event) => event.epoch))], [0, 1, 2, 3, 4]);
});

test('the time left is null until it is known, then the rest of this phase and of the later ones', () => {
  const { clock, progress, last } = clocked();
  progress.begin('preparing', 'extracting', 10);
  clock.ms += 5000;
  progress.advance(5);
  assert.equal(last().estimated_remaining, null, 'how long training will take is not known yet');
  progress.begin('training', 'training', 40);
  progress.expect('evaluating', 7);
  clock.ms += 1000;
  progress.advance(10);
  assert.equal(last().estimated_remaining, null, 'a second is no evidence');
  clock.ms += 1000;
  progress.advance(20);
  assert.equal(last().estimated_remaining, 2 + 7);
  progress.begin('training', 'evaluating', 100);
  assert.equal(last().estimated_remaining, 7, 'before a phase has a speed of its own it takes what was expected');
  clock.ms += 3000;
  progress.advance(50);
  assert.equal(last().estimated_remaining, 3);
});

test('paused time does not count', () => {
  const { clock, progress, last } = clocked();
  progress.begin('training', 'training', 40);
  progress.expect('saving', 0);
  clock.ms += 2000;
  progress.pause(true);
  clock.ms += 60_000;
  progress.pause(false);
  progress.advance(20);
  assert.equal(last().estimated_remaining, 2);
});

test('what an earlier attempt did says nothing about the speed of this one', () => {
  const { clock, progress, last } = clocked();
  progress.begin('training', 'training', 40, 30);
  progress.expect('saving', 0);
  clock.ms += 4000;
  progress.advance(34);
  assert.equal(last().estimated_remaining, 6);
});
