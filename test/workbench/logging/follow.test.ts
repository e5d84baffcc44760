import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { WorkbenchError } from '../../../src/shared/errors.js';
import { followLogs } from '../../../src/workbench/logging/follow.js';
import { formatRecord } from '../../../src/workbench/logging/format.js';
import { LogReader } from '../../../src/workbench/logging/log-reader.js';
import type { RecordFilter } from '../../../src/workbench/logging/read-records.js';
import { RotatedLog } from '../../../src/workbench/logging/rotated-log.js';
import { RotatingFile } from '../../../src/workbench/logging/rotating-file.js';
import { temporaryFolder } from '../small-run.js';

const root = temporaryFolder();
function fresh() {
  const folder = path.join(mkdtempSync(path.join(root, 'case-')), 'logs');
  mkdirSync(folder);
  return { folder, live: path.join(folder, 'api.log') };
}

let second = 0;
/** A record as it is written, each a second later than the one before. */
function record(message: string, stack?: string): string {
  const time = 1_700_000_000_000 + second++ * 1000;
  return formatRecord({ time, component: 'api', level: 'INFO', message, ...(stack === undefined ? {} : { stack }) });
}
const plain = (text: string) => text.replace(/^.{19} - api - INFO - /gm, '');

/** Follows logs from their newest records on, and tells what was seen of them. */
async function following(
  folders: string[],
  { newest = 0, filter = {} }: { newest?: number; filter?: RecordFilter } = {},
) {
  const stop = new AbortController();
  const reader = await LogReader.open({ folders, filter, follow: true });
  const seen = (await reader.newest(newest)).map(({ text }) => plain(text));
  let look = () => {};
  const done = (async () => {
    for await (const records of followLogs(reader, stop.signal)) {
      seen.push(...records.map(({ text }) => plain(text)));
      look();
    }
    await reader.close();
  })();
  after(() => {
    stop.abort();
    return done;
  });
  const until = (message: string) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (seen.includes(message)) resolve();
      };
      look();
    });
  return { seen, until };
}

test('every line is followed once and in order while files rotate', async () => {
  const { folder, live } = fresh();
  const file = new RotatingFile({ maxBytes: 4000 });
  file.place(live);
  const expected: string[] = [];
  const write = (batch: number) => {
    for (let i = 0; i < 150; i++) {
      expected.push(`batch ${batch} line ${i}`);
      file.append(record(expected.at(-1)!));
    }
    file.flush();
  };
  write(0);
  const { seen, until } = await following([folder], { newest: 1000 });
  for (let batch = 1; batch < 10; batch++) {
    write(batch);
    await until(expected.at(-1)!);
  }
  file.close();
  assert.deepEqual(seen, expected);
  assert.equal(readdirSync(folder).length, 6);
});

test('after the newest records come only those that are written then', async () => {
  const { folder, live } = fresh();
  const file = new RotatingFile({ maxBytes: 4000 });
  file.place(live);
  const append = (message: string) => {
    file.append(record(message));
    file.flush();
  };
  for (let i = 0; i < 300; i++) append(`old ${i}`);
  const { seen, until } = await following([folder], { newest: 2 });
  for (let i = 0; i < 150; i++) append(`new ${i}`);
  await until('new 149');
  file.close();
  assert.deepEqual(seen, ['old 298', 'old 299', ...Array.from({ length: 150 }, (_, i) => `new ${i}`)]);
});

test('a file that is emptied is read from its start', async () => {
  const { folder, live } = fresh();
  writeFileSync(live, record('a long first line') + record('b'));
  const { seen, until } = await following([folder]);
  appendFileSync(live, record('c'));
  await until('c');
  writeFileSync(live, record('d'));
  await until('d');
  truncateSync(live);
  appendFileSync(live, record('e'));
  await until('e');
  assert.deepEqual(seen, ['c', 'd', 'e']);
});

test('a file whose end was taken back is not read again', async () => {
  const [full, other] = [fresh(), fresh()];
  writeFileSync(full.live, record('a') + record('b'));
  const { size } = statSync(full.live);
  const { seen, until } = await following([full.folder, other.folder], { newest: 2 });
  const looked = async (when: string) => {
    // Once a second record was seen in another folder, this one was looked at in between.
    for (const message of [`${when} 1`, `${when} 2`]) {
      appendFileSync(other.live, record(message));
      await until(message);
    }
  };
  // As when the disk is full in the middle of a write, and then no longer.
  appendFileSync(full.live, record('half').slice(0, 30));
  await looked('full');
  truncateSync(full.live, size);
  await looked('cut back');
  appendFileSync(full.live, record('c'));
  await until('c');
  assert.deepEqual(seen, ['a', 'b', 'full 1', 'full 2', 'cut back 1', 'cut back 2', 'c']);
});

test('a file or folder that is deleted and made again is followed on', async () => {
  const { folder, live } = fresh();
  const file = new RotatingFile({ maxBytes: 1000 });
  file.place(live);
  const expected: string[] = [];
  const write = (count: number) => {
    for (let i = 0; i < count; i++) {
      expected.push(`line ${expected.length}`);
      file.append(record(expected.at(-1)!));
    }
    file.flush();
  };
  write(30);
  const { seen, until } = await following([folder], { newest: 1000 });
  rmSync(live);
  write(1);
  await until(expected.at(-1)!);
  for (let i = 0; i < 2; i++) {
    rmSync(folder, { recursive: true });
    write(40);
    await until(expected.at(-1)!);
  }
  file.close();
  assert.deepEqual(seen, expected);
});

test('a folder without logs is waited for, and so is a second writer', async () => {
  const { folder, live } = fresh();
  const { seen, until } = await following([folder, folder]);
  appendFileSync(live, record('first'));
  await until('first');
  mkdirSync(path.join(folder, '2'));
  appendFileSync(path.join(folder, '2', 'api.log'), record('second'));
  await until('second');
  appendFileSync(live, record('third'));
  await until('third');
  assert.deepEqual(seen, ['first', 'second', 'third']);
});

test('a line or record that is written in parts is seen as one', async () => {
  const [slow, other] = [fresh(), fresh()];
  const { seen, until } = await following([slow.folder, other.folder]);
  const text = record('a message', 'Error: x\n    at f');
  for (const [from, to] of [
    [0, 30] as const,
    [30, text.length - 20] as const,
    [text.length - 20, text.length] as const,
  ]) {
    appendFileSync(slow.live, text.slice(from, to));
    if (from !== 0) continue;
    for (const message of ['once', 'twice']) {
      appendFileSync(other.live, record(message));
      await until(message);
    }
  }
  await until('a message\n    Error: x\n        at f');
  assert.deepEqual(seen, ['once', 'twice', 'a message\n    Error: x\n        at f']);
});

/** Each look at a log: the records of what was written since the one before, in its batches. */
function looking(live: string) {
  const log = new RotatedLog(live, true);
  after(() => log.close());
  return async () => {
    const batches: string[][] = [];
    for await (const records of log.news()) batches.push(records.map(({ text }) => plain(text)));
    return batches;
  };
}

test('the last record waits for its stack until nothing more is written', async () => {
  const { live } = fresh();
  const [first, ...stack] = record('failed', 'Error: x\n    at f\n    at g').split(/(?<=\n)/);
  const look = looking(live);
  assert.deepEqual(await look(), []);
  for (const line of [first!, ...stack]) {
    appendFileSync(live, line);
    assert.deepEqual(await look(), [[]]);
  }
  assert.deepEqual(await look(), [['failed\n    Error: x\n        at f\n        at g']]);
  assert.deepEqual(await look(), []);
});

test('what was written before a file was deleted or fell off the end is not lost', async () => {
  const { folder, live } = fresh();
  const look = looking(live);
  writeFileSync(live, record('a'));
  assert.deepEqual((await look()).flat(), []);
  appendFileSync(live, record('b'));
  rmSync(folder, { recursive: true });
  assert.deepEqual((await look()).flat(), ['a', 'b']);
  mkdirSync(folder);
  const file = new RotatingFile({ maxBytes: 200 });
  file.place(live);
  file.append(record('c'));
  file.flush();
  assert.deepEqual((await look()).flat(), []);
  for (let i = 0; i < 100; i++) file.append(record(`d ${i}`));
  file.close();
  const seen = (await look()).flat();
  assert.equal(seen[0], 'c');
  assert.equal(seen.at(-1), 'd 98');
  assert.deepEqual((await look()).flat(), ['d 99']);
});

test('a reader shows the newest or all records of several folders by time, each in its own order', async () => {
  const [one, two] = [fresh(), fresh()];
  const lines = Array.from({ length: 12 }, (_, i) => record(String(i)));
  const at = (numbers: number[]) => numbers.map((i) => lines[i]!).join('');
  writeFileSync(`${one.live}.2`, at([0, 2]));
  writeFileSync(`${one.live}.1`, at([3, 4]));
  writeFileSync(one.live, at([8, 11]));
  mkdirSync(path.join(one.folder, '2'));
  writeFileSync(path.join(one.folder, '2', 'api.log'), at([1, 5, 9]));
  writeFileSync(two.live, at([6, 7, 10]).trimEnd());
  const read = async (newest: number | undefined, filter: RecordFilter = {}) => {
    const reader = await LogReader.open({ folders: [one.folder, two.folder, `${one.folder}/2`], filter });
    const seen: string[] = [];
    for await (const { text } of newest === undefined ? reader.all() : await reader.newest(newest)) {
      seen.push(plain(text));
    }
    await reader.close();
    return seen.map(Number);
  };
  const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
  assert.deepEqual(await read(undefined), all);
  for (const newest of [0, 1, 5, 11, 12, 100])
    assert.deepEqual(await read(newest), newest === 0 ? [] : all.slice(-newest));
  const since = new Date(lines[5]!.slice(0, 19)).getTime();
  assert.deepEqual(await read(undefined, { since }), all.slice(5));
  assert.deepEqual(await read(3, { level: 'WARNING' }), []);
});

test('of equal seconds the order of folders and files stays', async () => {
  const [one, two] = [fresh(), fresh()];
  const same = record('').slice(0, -1);
  writeFileSync(one.live, `${same}a\n${same}b\n`);
  writeFileSync(two.live, `${same}c\n${same}d\n`);
  const reader = await LogReader.open({ folders: [one.folder, two.folder] });
  const texts = (await reader.newest(3)).map(({ text }) => plain(text));
  await reader.close();
  assert.deepEqual(texts, ['b', 'c', 'd']);
});

test('a folder that is not there, or holds no log, is a problem with a hint', async () => {
  const { folder } = fresh();
  for (const each of [folder, path.join(folder, 'nowhere')]) {
    await assert.rejects(LogReader.open({ folders: [each] }), ({ problem }: WorkbenchError) => {
      assert.ok(problem.input && problem.message.includes(each) && problem.hint !== '');
      return true;
    });
  }
});
