// Summer time ends here on 27 October 2024, 03:00 → 02:00: an hour comes twice.
process.env.TZ = 'Europe/Berlin';
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { logComponents, logLevels, type LogRecord } from '../../../src/shared/logs.js';
import { formatRecord, formatTime, oneLine } from '../../../src/workbench/logging/format.js';
import { LogReader } from '../../../src/workbench/logging/log-reader.js';
import { Logs } from '../../../src/workbench/logging/logs.js';
import { isWanted, parseTime, RecordParser, type StoredRecord } from '../../../src/workbench/logging/read-records.js';
import { temporaryFolder } from '../small-run.js';
import { numbersFrom, randomText } from './random-text.js';

const folder = temporaryFolder();

function parse(text: string): StoredRecord[] {
  const parser = new RecordParser();
  const records = text.split('\n').map((line) => parser.add(line, 'api.log'));
  return [...records, parser.end()].filter((record) => record !== undefined);
}
const line = (second: string, message: string, rest = 'api - INFO') =>
  `2024-01-15 10:30:${second} - ${rest} - ${message}`;

test('lines below a record belong to it: its stack, and what another program or a killed process left', () => {
  const text = [line('45', 'one'), '    Error: x', '        at f', '2024-01-15 10:3', 'hello', line('46', 'two')].join(
    '\n',
  );
  const [one, two, ...more] = parse(text);
  assert.deepEqual(more, []);
  assert.equal(`${one!.text}\n${two!.text}`, text);
  assert.equal(one!.record?.stack, 'Error: x\n    at f\n2024-01-15 10:3\nhello');
  assert.equal(one?.record?.message, 'one');
  assert.deepEqual(two?.record, {
    time: new Date(2024, 0, 15, 10, 30, 46).getTime(),
    component: 'api',
    level: 'INFO',
    message: 'two',
  });
});

test('lines that no record is above are shown, unless something is asked of records', () => {
  const [foreign, own] = parse(`hello\nthere\n${line('45', 'one')}`);
  assert.deepEqual(foreign, { record: null, text: 'hello\nthere', file: 'api.log' });
  assert.ok(isWanted(foreign, {}));
  for (const filter of [{ since: 0 }, { level: 'DEBUG' as const }, { components: ['api' as const] }]) {
    assert.ok(!isWanted(foreign, filter));
    assert.ok(isWanted(own!, filter));
  }
  for (const unlike of [line('45', 'x', 'other - INFO'), line('45', 'x', 'api - TRACE'), ` ${line('45', 'x')}`]) {
    assert.equal(parse(unlike)[0]?.record, null);
  }
});

test('a filter asks for components, a least level and a time, exact to the second', () => {
  const [record] = parse(line('45', 'x', 'training - WARNING'));
  const { time } = record!.record!;
  assert.ok(isWanted(record!, { components: ['api', 'training'], level: 'INFO', since: time + 999 }));
  assert.ok(!isWanted(record!, { components: ['api'] }));
  assert.ok(!isWanted(record!, { level: 'ERROR' }));
  assert.ok(!isWanted(record!, { since: time + 1000 }));
});

test('what is still coming of a record that was handed on has its time, component and level', () => {
  const parser = new RecordParser();
  parser.add(line('45', 'slow', 'sae - ERROR'), 'api.log');
  assert.equal(parser.end()?.record?.message, 'slow');
  parser.add('    at f', 'api.log');
  const { record, text } = parser.end()!;
  assert.equal(text, '    at f');
  assert.deepEqual({ ...record, time: 0 }, { time: 0, component: 'sae', level: 'ERROR', message: '…', stack: 'at f' });
  assert.equal(parser.end(), undefined);
});

test('foreign lines without end are handed on in pieces, none of them lost', () => {
  const parser = new RecordParser();
  const pieces: StoredRecord[] = [];
  const lines = Array.from({ length: 3000 }, (_, i) => `${i} ${'x'.repeat(1000)}`);
  for (const each of [line('45', 'first'), ...lines]) {
    const piece = parser.add(each, 'api.log');
    if (piece) pieces.push(piece);
  }
  pieces.push(parser.end()!);
  assert.equal(pieces.length, 3);
  for (const { text } of pieces) assert.ok(text.length < 1_100_000);
  assert.equal(pieces.map(({ text }) => text).join('\n'), [line('45', 'first'), ...lines].join('\n'));
});

test('in the hour that comes twice, times go on in the order of the file', () => {
  const start = Date.UTC(2024, 9, 26, 23, 50);
  const times = Array.from({ length: 60 }, (_, i) => start + i * 150_000);
  const text = times.map((time) =>
    formatRecord({ time, component: 'api', level: 'INFO', message: formatTime(time) }).trimEnd(),
  );
  assert.ok(new Set(text).size < text.length, 'some local times are there twice');
  assert.deepEqual(
    parse(text.join('\n')).map(({ record }) => record?.time),
    times,
  );
});

test('a clock that was set back is believed', () => {
  const back = parse([line('45', 'a'), line('40', 'b')].join('\n'));
  assert.equal(back[1]!.record!.time, parseTime('2024-01-15 10:30:40'));
});

test('whatever a record holds, it is read back as it was written, and forges no other', async () => {
  const random = numbersFrom(7);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  const dir = path.join(mkdtempSync(path.join(folder, 'case-')), 'logs');
  const logs = new Logs({ folder: dir, maxBytes: 200_000, redact: (text) => text });
  const written: LogRecord[] = [];
  for (let i = 0; i < 3000; i++) {
    const stack = random() < 0.3 ? { stack: randomText(random) } : {};
    const record = { component: pick(logComponents), level: pick(logLevels), message: `${i} ${randomText(random)}` };
    written.push({ time: 1_700_000_000_000 + i * 1000, ...record, ...stack });
    logs.write(written.at(-1)!);
  }
  await logs.close();
  const reader = await LogReader.open({ folders: [dir] });
  let next = 0;
  for await (const { record, text } of reader.all()) {
    const { stack, ...rest } = written[next++]!;
    // Half a surrogate pair has no bytes of its own in UTF-8.
    const message = Buffer.from(oneLine(rest.message)).toString();
    const expected = Buffer.from(formatRecord({ ...rest, ...(stack === undefined ? {} : { stack }) })).toString();
    assert.equal(`${text}\n`, expected);
    assert.deepEqual({ ...record, stack: undefined }, { ...rest, message, stack: undefined });
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  }
  await reader.close();
  assert.equal(next, written.length);
});
