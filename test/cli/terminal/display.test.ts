import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { displayFor, lineDisplay, LiveDisplay, silentDisplay } from '../../../src/cli/terminal/display.js';
import { progressEvent } from '../events.js';

const run = [
  progressEvent({ status: 'preparing', phase: 'loading_model', phase_progress: 0, elapsed_time: 0 }),
  progressEvent({ status: 'preparing', phase: 'extracting', phase_progress: 0, elapsed_time: 2 }),
  progressEvent({ status: 'preparing', phase: 'extracting', phase_progress: 50, elapsed_time: 4 }),
  progressEvent({ elapsed_time: 6 }),
  progressEvent({ elapsed_time: 8 }),
];
/** A terminal of 80 columns: everything written to it, and what it shows in the end. */
function terminal() {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: false, columns: 80 });
  const written = () => (stream.read() as string | null) ?? '';
  const screen = () => {
    const rows = [''];
    for (const [token] of written().matchAll(/\u001b\[J|[^\u001b]/g)) {
      if (token === '\n') rows.push('');
      else if (token === '\u001b[J') rows[rows.length - 1] = '';
      else if (token !== '\r') rows.push(`${rows.pop() ?? ''}${token}`);
    }
    return rows;
  };
  return { stream: stream as unknown as NodeJS.WriteStream, written, screen };
}

test('on a terminal finished phases stay above one bar', () => {
  const { stream, screen } = terminal();
  const display = new LiveDisplay(stream);
  for (const event of run.slice(0, 3)) display.progress(event);
  const rows = screen();
  assert.equal(rows.length, 2);
  assert.match(rows[0]!, /^✓ Model +2\.0 s$/);
  assert.match(rows[1]!, /^Activations [█▏▎▍▌▋▊▉░]+ {2}50\.0%/);
});

test('a warning lands on a line of its own and the bar comes back below it', () => {
  const { stream, screen } = terminal();
  const display = new LiveDisplay(stream);
  display.progress(run[3]!);
  display.line('the disk is nearly full');
  const rows = screen();
  assert.equal(rows[0], 'the disk is nearly full');
  assert.match(rows[1]!, /^Training .*ETA 0:42$/);
  assert.ok(rows[1]!.length < 80);
});

test('closing leaves no bar behind, and says where a stopped job was', () => {
  const { stream, screen } = terminal();
  const display = new LiveDisplay(stream);
  for (const event of run) display.progress(event);
  display.close(true);
  const rows = screen();
  assert.match(rows[2]!, /^✗ Training +2\.0 s {2}540 steps/);
  assert.deepEqual(rows.slice(3), ['']);
});

test('a terminal that does not tell its width gets a bar that fits 80 columns', () => {
  const { stream, screen } = terminal();
  Object.assign(stream, { columns: 0 });
  new LiveDisplay(stream).progress(run[3]!);
  assert.match(screen()[0]!, /^Training .*ETA 0:42$/);
});

test('without a terminal there is a line every few seconds and at each phase’s end, and no control characters', () => {
  const { stream, written } = terminal();
  const display = lineDisplay(stream, 5);
  for (let elapsed = 0; elapsed < 12; elapsed += 0.1) {
    display.progress(progressEvent({ phase: elapsed < 1 ? 'loading_model' : 'training', elapsed_time: elapsed }));
  }
  display.close(false);
  const lines = written().trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => line.split(/ +/, 2).join(' ')),
    ['✓ Model', 'Training 45.2%', 'Training 45.2%', '✓ Training'],
  );
  assert.doesNotMatch(lines.join(''), /\p{Cc}/u);
});

test('silently there is nothing but what goes beside the progress', () => {
  const { stream, written } = terminal();
  const display = silentDisplay(stream, 'WARNING');
  for (const event of run) display.progress(event);
  display.line('a warning');
  assert.equal(written(), 'a warning\n');
});

test('bars are for terminals, and the console shows less beside them', () => {
  const { stream } = terminal();
  assert.equal(displayFor(stream, {}).consoleLevel, 'INFO');
  assert.equal(displayFor(stream, { json: true }).consoleLevel, 'INFO');
  assert.equal(displayFor(stream, { quiet: true }).consoleLevel, 'WARNING');
  Object.assign(stream, { isTTY: true, hasColors: () => false });
  assert.ok(displayFor(stream, {}) instanceof LiveDisplay);
  assert.equal(displayFor(stream, {}).consoleLevel, 'WARNING');
});
