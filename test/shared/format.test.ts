import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bytes,
  compact,
  countdown,
  duration,
  percent,
  printable,
  real,
  sparkline,
  whole,
} from '../../src/shared/format.js';

test('a number that is not known is a dash and never a zero', () => {
  for (const format of [whole, compact, real, percent, duration, countdown]) assert.equal(format(null), '–');
});

test('whole numbers are grouped', () => {
  assert.equal(whole(3574016), '3,574,016');
});

test('quantities keep three digits, also where rounding crosses a unit', () => {
  const shown = [0, 7, 870, 999.96, 1000, 16356, 99960, 999600, 3574016, 2.5e9].map(compact);
  assert.deepEqual(shown, ['0', '7', '870', '1.00k', '1k', '16.4k', '100k', '1.00M', '3.57M', '2.50G']);
});

test('losses keep four significant digits at every magnitude', () => {
  const shown = [0, 0.1234, 12.3449, 1234.56, 99999.5, 1.23456e-7, 4.2e9, -0.5].map((value) => real(value));
  assert.deepEqual(shown, ['0', '0.1234', '12.34', '1235', '100000', '1.235e-7', '4.200e+9', '-0.5000']);
});

test('parts are shown as percent', () => {
  assert.equal(percent(0.01234), '1.2 %');
});

test('times grow from seconds to hours', () => {
  const shown = [0.04, 4.23, 9.96, 62, 3599.7, 3723].map(duration);
  assert.deepEqual(shown, ['0.0 s', '4.2 s', '0:10', '1:02', '1:00:00', '1:02:03']);
});

test('the time left is rounded up and never says nothing is left too early', () => {
  const shown = [0, 0.02, 4.2, 59.5, 3599.2].map(countdown);
  assert.deepEqual(shown, ['0:00', '0:01', '0:05', '1:00', '1:00:00']);
});

test('sizes use decimal units', () => {
  assert.deepEqual([999, 1000, 67_108_864, 2_500_000_000].map(bytes), ['999 bytes', '1 kB', '67.1 MB', '2.50 GB']);
});

test('text of unknown origin cannot move the cursor, hide itself or break the line', () => {
  const hostile = 'a\u001b[2Jb\r\nc\td\u0007\u202egnp\u2028\u009b1m\ud800';
  const shown = printable(hostile);
  assert.equal(shown, 'a\\u001b[2Jb↵c→d\\u0007\\u202egnp\\u2028\\u009b1m\\ud800');
  assert.equal(printable('naïve 数学 👩‍💻'), 'naïve 数学 👩‍💻');
});

test('a series becomes a line from its lowest to its highest value', () => {
  assert.equal(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8), '▁▂▃▄▅▆▇█');
  assert.equal(sparkline([7, 7, 0, 0], 2), '█▁');
  assert.equal(sparkline([3, 3, 3], 10), '▁▁▁');
  assert.equal(sparkline([3], 10), '');
});
