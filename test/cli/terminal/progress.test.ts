import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barLine, finishedLine, PhaseClock, progressLine } from '../../../src/cli/terminal/progress.js';
import { progressEvent } from '../events.js';

test('a bar shows percent, rate, loss, L0, explained variance and the time left', () => {
  assert.equal(
    barLine(progressEvent(), 140),
    'Training    ████████████▋░░░░░░░░░░░░░░░  45.2%  epoch 2/5  16.4k tok/s  loss 0.1234  L0 31.9  EV 0.912  dead 12  ETA 0:42',
  );
});

test('a bar fits every terminal and gives up the least important first', () => {
  for (let columns = 1; columns <= 160; columns++) {
    const line = barLine(progressEvent(), columns);
    assert.ok(line.length <= columns, `${line.length} in ${columns}: ${line}`);
  }
  assert.match(
    barLine(progressEvent(), 79),
    /█.* 45\.2% {2}16\.4k tok\/s {2}loss 0\.1234 {2}L0 31\.9 {2}EV 0\.912 {2}ETA 0:42$/,
  );
  assert.match(barLine(progressEvent(), 60), /█.* 45\.2% {2}loss 0\.1234 {2}EV 0\.912 {2}ETA 0:42$/);
  assert.match(barLine(progressEvent(), 40), /█.* 45\.2% {2}ETA 0:42$/);
  assert.match(barLine(progressEvent(), 22), /^Training +45\.2%$/);
});

test('what is not known yet is left out rather than shown as zero', () => {
  const event = progressEvent({ phase: 'loading_model', estimated_remaining: null, tokens_per_second: null });
  const line = barLine(event, 140);
  assert.doesNotMatch(line, /ETA|tok\/s|loss|L0|EV/);
  assert.doesNotMatch(progressLine(event), /ETA|tok\/s|loss|L0|EV/);
});

test('percent never says 100 before the phase is done', () => {
  assert.match(barLine(progressEvent({ phase_progress: 99.97 }), 140), / 99\.9%/);
  assert.match(barLine(progressEvent({ phase_progress: 100 }), 140), /100\.0%/);
});

test('a waiting and a paused job say so instead of naming a phase', () => {
  assert.match(barLine(progressEvent({ status: 'queued' }), 80), /^Waiting/);
  assert.match(barLine(progressEvent({ status: 'paused' }), 80), /^Paused/);
});

test('a line for a log holds the step, the metrics, the time gone and the time left', () => {
  assert.equal(
    progressLine(progressEvent()),
    'Training 45.2% · step 540/1,200 · epoch 2/5 · 16.4k tok/s · loss 0.1234 · L0 31.9 · EV 0.912 · dead 12 · ETA 0:42 · elapsed 0:31',
  );
});

test('the clock gives each phase of an attempt, also a resumed one, the time until the next phase', () => {
  const clock = new PhaseClock();
  const ended: [string, number][] = [];
  for (const [phase, elapsed] of [
    ['loading_model', 100.5],
    ['tokenizing', 102],
    ['tokenizing', 103],
    ['training', 105],
  ] as const) {
    const finished = clock.observe(progressEvent({ phase, elapsed_time: elapsed }));
    if (finished) ended.push([finished.last.phase, finished.seconds]);
  }
  clock.observe(progressEvent({ phase: 'training', elapsed_time: 109 }));
  const last = clock.end()!;
  assert.deepEqual(
    [...ended, [last.last.phase, last.seconds]],
    [
      ['loading_model', 1.5],
      ['tokenizing', 3],
      ['training', 4],
    ],
  );
  assert.equal(clock.end(), undefined);
});

test('a finished phase keeps a line with its time, and training its totals', () => {
  assert.match(
    finishedLine({ last: progressEvent(), seconds: 102 }),
    /^✓ Training +1:42 {2}540 steps · 1,105,920 tokens · loss 0\.1234$/,
  );
  assert.match(
    finishedLine({ last: progressEvent({ phase: 'extracting' }), seconds: 3 }, true),
    /^✗ Activations.* 3\.0 s$/,
  );
});
