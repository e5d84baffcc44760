import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { Coalescer } from '../../src/extension/coalescer.js';

let now = 0;
mock.method(performance, 'now', () => now);
mock.timers.enable({ apis: ['setTimeout'] });
const pass = (ms: number): void => {
  now += ms;
  mock.timers.tick(ms);
};

/** What was sent: when, and for each key the time at which its value was pushed. */
let sent: { at: number; values: number[] }[] = [];
let coalescer = new Coalescer<number>(() => undefined, { everyMs: 100, aheadMs: 0 });
function make(aheadMs: number) {
  coalescer = new Coalescer((values) => sent.push({ at: now, values }), { everyMs: 100, aheadMs });
}
beforeEach(() => {
  coalescer.clear();
  sent = [];
  now = 0;
});

/** Pushes the time at each of these times, in whole milliseconds, and lets another 200 ms pass. */
function play(key: string, times: readonly number[]) {
  const last = times.at(-1)! + 200;
  while (now <= last) {
    if (times.includes(now)) coalescer.push(key, now);
    pass(1);
  }
}
/** Milliseconds from each push until it, or a newer one, was sent. */
const delays = (times: readonly number[]) =>
  times.map((time) => sent.find(({ values }) => values.some((value) => value >= time))!.at - time);

test('the first value is sent at once, the next at the end of the interval with the newest of each key', () => {
  make(0);
  coalescer.push('a', 1);
  pass(10);
  coalescer.push('a', 2);
  coalescer.push('b', 3);
  pass(10);
  coalescer.push('a', 4);
  pass(79);
  assert.deepEqual(sent, [{ at: 0, values: [1] }]);
  pass(1);
  assert.deepEqual(sent.slice(1), [{ at: 100, values: [4, 3] }]);
  pass(1000);
  assert.equal(sent.length, 2);
});

test('a steady stream at the same pace that jitters passes without delay', () => {
  make(300);
  const jitter = [0, -1, 1, -7, 6, 0, -12, 12, -3, 3];
  const times = Array.from({ length: 600 }, (_, i) => 100 * (i + 1) + jitter[i % jitter.length]!);
  play('a', times);
  assert.equal(Math.max(...delays(times)), 0);
  assert.equal(sent.length, times.length);
});

test('messages more than the pace, as at the end of an epoch, do not make those after them late', () => {
  make(300);
  // The clock of the sender starts anew with each message it puts in.
  const times: number[] = [];
  for (let time = 100, i = 0; i < 300; i++) {
    times.push(time);
    time += i % 100 === 50 ? 37 : 100;
  }
  play('a', times);
  assert.equal(Math.max(...delays(times)), 0);
});

test('ten runs at ten messages a second each are sent ten times a second, none later than the interval', () => {
  make(300);
  const times = Array.from({ length: 100 }, (_, i) => 100 * (i + 1));
  while (now <= 10_300) {
    for (let run = 0; run < 10; run++) if (times.includes(now - 7 * run)) coalescer.push(`run ${run}`, now);
    pass(1);
  }
  const duringLast = sent.filter(({ at }) => at > 9000 && at <= 10_000);
  assert.equal(duringLast.length, 10);
  assert.equal(duringLast.at(-1)!.values.length, 10);
  const latest = sent.map(({ at, values }) => at - Math.min(...values));
  assert.ok(Math.max(...latest) <= 100, `${Math.max(...latest)} ms`);
});

test('one value is held of each key, however many are pushed', () => {
  make(0);
  for (let i = 0; i < 100_000; i++) coalescer.push('a', i);
  pass(100);
  assert.deepEqual(
    sent.map(({ values }) => values),
    [[0], [99_999]],
  );
});

test('what is forgotten is not sent', () => {
  make(0);
  coalescer.push('a', 1);
  coalescer.push('a', 2);
  coalescer.push('b', 3);
  coalescer.forget('a');
  pass(100);
  assert.deepEqual(sent.at(-1)!.values, [3]);
  coalescer.push('a', 4);
  coalescer.forget('a');
  pass(200);
  assert.equal(sent.length, 2);
  coalescer.push('a', 5);
  assert.deepEqual(sent.at(-1)!.values, [5]);
});
