import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { emptyMetrics, type EngineProgress } from '../../src/shared/events.js';
import { noProgress } from '../../src/workbench/job-journal.js';
import { ProgressGate } from '../../src/workbench/progress-gate.js';

let now = 0;
mock.method(performance, 'now', () => now);
mock.timers.enable({ apis: ['setTimeout'] });
const pass = (ms: number) => {
  now += ms;
  mock.timers.tick(ms);
};

let sent: EngineProgress[] = [];
let gate = new ProgressGate(() => undefined);
beforeEach(() => {
  gate.stop();
  sent = [];
  gate = new ProgressGate((progress) => sent.push(progress));
});
const at = (step: number, epoch = 1): EngineProgress => ({
  ...noProgress(3, emptyMetrics),
  status: 'training',
  phase: 'training',
  epoch,
  step,
});
const steps = () => sent.map(({ step }) => step);

test('within an epoch progress passes at most ten times a second, the newest each time', () => {
  for (let step = 0; step < 100; step++) {
    gate.push(at(step));
    pass(10);
  }
  assert.equal(sent.length, 11);
  assert.deepEqual(steps().slice(0, 3), [0, 9, 19]);
  assert.equal(steps().at(-1), 99);
});

test('the last progress of an epoch is never left out, however short the epoch', () => {
  for (const [step, epoch] of [
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
    [6, 3],
  ] as const)
    gate.push(at(step, epoch));
  assert.deepEqual(steps(), [1, 3, 4, 5, 6]);
});

test('a change of status or phase passes at once, after what was held', () => {
  gate.push(at(1));
  gate.push(at(2));
  gate.push({ ...at(2), status: 'paused' });
  gate.push({ ...at(2), phase: 'evaluating' });
  assert.deepEqual(
    sent.map(({ step, status, phase }) => `${step} ${status} ${phase}`),
    ['1 training training', '2 training training', '2 paused training', '2 training evaluating'],
  );
});

test('while nothing new comes the last is told again every 2 s, until stopped', () => {
  gate.push(at(1));
  pass(1999);
  assert.deepEqual(steps(), [1]);
  pass(1);
  pass(2000);
  assert.deepEqual(steps(), [1, 1, 1]);
  gate.stop();
  pass(10_000);
  assert.deepEqual(steps(), [1, 1, 1]);
});

test('a steady stream does not become later although timers fire late', () => {
  const passLate = (ms: number) => {
    for (let i = 0; i < ms; i++) {
      // Whoever looks at the clock when a timer fires sees 1 ms more.
      now += 2;
      mock.timers.tick(1);
      now -= 1;
    }
  };
  gate.push(at(0));
  passLate(99);
  for (let step = 1; step <= 100; step++) {
    gate.push(at(step));
    passLate(3);
    assert.equal(sent.length, step + 1);
    passLate(97);
  }
});

test('what is held passes by itself as soon as it may', () => {
  gate.push(at(1));
  pass(30);
  gate.push(at(2));
  pass(69);
  assert.deepEqual(steps(), [1]);
  pass(1);
  assert.deepEqual(steps(), [1, 2]);
});
