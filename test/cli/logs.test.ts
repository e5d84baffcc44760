import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { parseSince } from '../../src/cli/commands/logs.js';
import { jsonRecord, paintedRecord } from '../../src/cli/terminal/log-record.js';
import type { Paint } from '../../src/cli/terminal/paint.js';
import type { WorkbenchError } from '../../src/shared/errors.js';
import { formatRecord } from '../../src/workbench/logging/format.js';
import type { LogComponent, LogLevel } from '../../src/shared/logs.js';
import { iw, start, temporaryFolder } from './cli.js';

const cwd = temporaryFolder();
const now = Date.now();
/** A record of so many minutes ago. */
const record = (
  minutes: number,
  message: string,
  component: LogComponent = 'api',
  level: LogLevel = 'INFO',
  stack?: string,
) =>
  formatRecord({ time: now - minutes * 60_000, component, level, message, ...(stack === undefined ? {} : { stack }) });

function log(name: string, ...records: string[]): void {
  const file = path.join(cwd, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, records.join(''));
}

before(() => {
  log('logs/api.log.2', 'begun by another program\n', record(3000, 'long ago'));
  log(
    'logs/api.log.1',
    record(100, 'loading', 'model'),
    record(70, 'it failed', 'engine', 'ERROR', 'Error: it\n  at f'),
  );
  log(
    'logs/api.log',
    record(50, 'epoch 1', 'training'),
    record(20, 'slow', 'training', 'WARNING'),
    record(10, 'cut').slice(0, -3),
  );
  log('logs/2/api.log', record(60, 'second writer'), record(30, 'second writer again'));
  log('other machine/api.log', record(40, 'elsewhere', 'sae', 'DEBUG'));
});

/** The messages shown, with the lines below them. */
async function shown(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await iw(cwd, 'logs', ...args);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' - ').at(-1)!);
}

const everything = [
  ...['begun by another program', 'long ago', 'loading', 'it failed', '    Error: it', '      at f', 'second writer'],
  ...['epoch 1', 'second writer again', 'slow', 'c'],
];

test('the newest records of all files and writers come in the order of their times', async () => {
  assert.deepEqual(await shown(), everything);
  assert.deepEqual(await shown('-n', '3'), everything.slice(-3));
  assert.deepEqual(await shown('--lines', '6'), everything.slice(-8));
  assert.deepEqual(await shown('-n', '0'), ['']);
});

test('several folders are merged, and one that is named twice is there once', async () => {
  const expected = [...everything.slice(0, 8), 'elsewhere', ...everything.slice(8)];
  assert.deepEqual(await shown('--dir', 'logs', 'other machine'), expected);
  if (process.platform !== 'win32') symlinkSync('logs', path.join(cwd, 'same logs'));
  const names = process.platform === 'win32' ? ['logs', './logs'] : ['logs/2', 'same logs', './logs'];
  assert.deepEqual(await shown(...[...names, 'other machine'].flatMap((name) => ['--dir', name])), expected);
});

test('components, level and time choose records, with what stands below them', async () => {
  const failed = ['it failed', '    Error: it', '      at f'];
  assert.deepEqual(await shown('--component', 'training', 'engine'), [...failed, 'epoch 1', 'slow']);
  assert.deepEqual(await shown('--component', 'training', '--component', 'engine', '-n', '1'), ['slow']);
  assert.deepEqual(await shown('--level', 'warning'), [...failed, 'slow']);
  assert.deepEqual(await shown('--since', '55m'), everything.slice(-4));
  assert.deepEqual(await shown('--since', new Date(now - 55 * 60_000).toISOString()), everything.slice(-4));
  assert.deepEqual(await shown('--since', '1d', '--level', 'ERROR', '--component', 'engine'), failed);
  assert.deepEqual(await shown('--since', '1d', '-n', '2'), everything.slice(-2));
});

test('--json prints an object per record', async () => {
  const { stdout } = await iw(cwd, 'logs', '--json', '-n', '6');
  const records = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(records.length, 6);
  const time = new Date(Math.floor((now - 70 * 60_000) / 1000) * 1000).toISOString();
  const [failed, second] = records;
  const file = path.join('logs', 'api.log.1');
  assert.deepEqual(failed, {
    time,
    component: 'engine',
    level: 'ERROR',
    message: 'it failed',
    stack: 'Error: it\n  at f',
    file,
  });
  assert.equal('stack' in second!, false);
  const foreign = { time: null, component: null, level: null, message: 'foreign\nlines', file: 'a' };
  assert.deepEqual(JSON.parse(jsonRecord({ record: null, text: 'foreign\nlines', file: 'a' })), foreign);
});

test('what cannot be read or meant is a sentence with a hint and exit code 2', async () => {
  mkdirSync(path.join(cwd, 'empty'));
  const wrong: [string[], RegExp, RegExp][] = [
    [['--dir', 'nowhere'], /no log folder .*nowhere/, /./],
    [['--dir', 'logs', 'empty'], /no log in .*empty/, /./],
    [['--dir', 'logs/api.log'], /no log folder/, /./],
    [['--dir', 'nowhere', '--follow'], /no log folder .*nowhere/, /./],
    [['--lines', 'many'], /--lines is "many"/, /100/],
    [['--level', 'loud'], /--level is "loud"/, /DEBUG, INFO, WARNING, ERROR/],
    [['--component', 'training', 'me'], /--component is "me"/, /websocket/],
    [['--since', 'yesterday'], /--since is "yesterday"/, /30m/],
  ];
  for (const [args, sentence, hint] of wrong) {
    const { code, stdout, stderr } = await iw(cwd, 'logs', ...args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^error: .*\.\nhint: .*\n$/);
    assert.match(stderr.split('\n')[0]!, sentence);
    assert.match(stderr.split('\n')[1]!, hint);
  }
});

test('a span or a time is understood; a time without a zone is local', () => {
  const at = Date.UTC(2024, 5, 1);
  const spans: [string, number][] = [
    ['90s', 90],
    ['30m', 1800],
    ['1h', 3600],
    ['1.5h', 5400],
    ['2d', 172_800],
  ];
  for (const [span, seconds] of spans) assert.equal(parseSince(span, at), at - seconds * 1000);
  const local = new Date(2024, 0, 15, 10, 30).getTime();
  for (const text of ['2024-01-15 10:30', '2024-01-15T10:30:00', '2024-01-15 10:30:00.000']) {
    assert.equal(parseSince(text, at), local);
  }
  assert.equal(parseSince('2024-01-15', at), new Date(2024, 0, 15).getTime());
  assert.equal(parseSince('2024-01-15T10:30:00+02:00', at), Date.UTC(2024, 0, 15, 8, 30));
  for (const wrong of ['', '1', 'h', '-1h', '1w', '2024-13-45', '2024', '10:30']) {
    assert.throws(
      () => parseSince(wrong, at),
      ({ problem }: WorkbenchError) => problem.input,
    );
  }
});

test('on a terminal levels are coloured, and escape sequences of foreign lines take no effect', () => {
  const mark = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
  const paint: Paint = { bold: mark('b'), dim: mark('d'), red: mark('r'), green: mark('g'), yellow: mark('y') };
  const text = '2024-01-15 10:30:45 - sae - ERROR - a - ERROR - b\n    at f';
  const parts = { time: 0, component: 'sae', level: 'ERROR', message: 'a - ERROR - b' } as const;
  assert.equal(
    paintedRecord({ record: parts, text, file: '' }, paint),
    '<d>2024-01-15 10:30:45</d> - sae - <r>ERROR</r> - a - ERROR - b\n<d>    at f</d>\n',
  );
  assert.equal(paintedRecord({ record: null, text: '\u001b[2Jx', file: '' }, paint), '<d>\\u001b[2Jx</d>\n');
});

test('a command without a terminal prints no colours', async () => {
  const { stdout } = await start(cwd, ['logs', '--level', 'ERROR'], { env: { FORCE_COLOR: '1', NO_COLOR: undefined } });
  assert.match(stdout, /ERROR - it failed/);
  assert.doesNotMatch(stdout, /\u001b/);
});
