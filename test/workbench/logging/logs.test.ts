import assert from 'node:assert/strict';
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { logComponents, type LogRecord } from '../../../src/shared/logs.js';
import { Logs } from '../../../src/workbench/logging/logs.js';
import { LogReader } from '../../../src/workbench/logging/log-reader.js';
import { temporaryFolder } from '../small-run.js';

const root = temporaryFolder();
const fresh = () => path.join(mkdtempSync(path.join(root, 'case-')), 'logs');
const program = path.join(__dirname, 'programs', 'log-and-exit.ts');
const execArgv = ['--import', 'tsx'];
const read = (folder: string, name: string) => readFileSync(path.join(folder, name), 'utf8').split('\n').slice(0, -1);
const messages = (folder: string, name: string) =>
  read(folder, name).map((line) => line.split(' - ').slice(1).join(' '));

/** Every line of a log, oldest first, across its files. */
function whole(folder: string, name: string): string[] {
  const older = readdirSync(folder)
    .filter((each) => each.startsWith(`${name}.`))
    .sort((a, b) => Number(b.split('.').at(-1)) - Number(a.split('.').at(-1)));
  return [...older, name].flatMap((each) => read(folder, each));
}

test('of 300,000 records of all components none is lost, doubled or out of order across rotations', async () => {
  const folder = fresh();
  const logs = new Logs({ folder });
  const count = 300_000;
  const component = (i: number) => logComponents[i % logComponents.length]!;
  const level = (i: number) => (i % 10 === 0 ? 'ERROR' : i % 3 === 0 ? 'DEBUG' : 'INFO');
  for (let i = 0; i < count; i++) {
    logs.log(component(i), level(i), `record ${i} ${'.'.repeat(i % 60)}`);
    if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await logs.close();
  const lines = whole(folder, 'api.log');
  assert.equal(lines.length, count);
  for (let i = 0; i < count; i++) {
    const end = ` - ${component(i)} - ${level(i)} - record ${i} ${'.'.repeat(i % 60)}`;
    if (lines[i]!.slice(19) !== end) assert.fail(`line ${i} is ${lines[i]}`);
  }
  const errors = whole(folder, 'errors.log');
  assert.deepEqual(
    errors,
    lines.filter((line) => line.slice(0, 60).includes(' - ERROR - ')),
  );
  const names = readdirSync(folder);
  assert.ok(names.includes('api.log.2'));
  for (const name of names) assert.ok(statSync(path.join(folder, name)).size <= 10_000_000);
  const reader = await LogReader.open({ folders: [folder] });
  const newest = await reader.newest(150_000);
  await reader.close();
  assert.deepEqual(
    newest.map(({ text }) => text),
    lines.slice(-150_000),
  );
});

test('levels are set per component, and sinks have their own that may change', async () => {
  const folder = fresh();
  const shown: string[] = [];
  const sink = {
    level: 'INFO' as const as LogRecord['level'],
    write: (line: string) => shown.push(line.slice(22).trimEnd()),
  };
  const logs = new Logs({ folder, sinks: [sink], levels: { sae: 'WARNING' } });
  logs.log('sae', 'INFO', 'dropped');
  logs.log('api', 'DEBUG', 'in the file only');
  logs.log('api', 'INFO', 'shown');
  sink.level = 'WARNING';
  logs.log('api', 'INFO', 'beside a progress bar');
  logs.setLevel('sae', 'DEBUG');
  logs.log('sae', 'WARNING', 'shown too');
  await logs.close();
  assert.deepEqual(shown, ['api - INFO - shown', 'sae - WARNING - shown too']);
  assert.deepEqual(messages(folder, 'api.log'), [
    'api DEBUG in the file only',
    'api INFO shown',
    'api INFO beside a progress bar',
    'sae WARNING shown too',
  ]);
  assert.deepEqual(readdirSync(folder), ['api.log']);
});

test('a sink that fails, or that logs itself, disturbs nobody', async () => {
  const folder = fresh();
  const logs = new Logs({ folder });
  const remove = logs.addSink({
    level: 'INFO',
    write: () => {
      throw new Error('a panel with a fault');
    },
  });
  const echo = logs.addSink({
    level: 'ERROR',
    write: () => {
      logs.log('engine', 'INFO', 'echo');
    },
  });
  logs.log('api', 'ERROR', 'one');
  echo();
  remove();
  logs.log('api', 'INFO', 'two');
  await logs.close();
  assert.deepEqual(messages(folder, 'api.log'), ['api ERROR one', 'engine INFO echo', 'api INFO two']);
});

test('secrets do not reach files or sinks', async () => {
  const folder = fresh();
  let shown = '';
  const logs = new Logs({
    folder,
    sinks: [{ level: 'INFO', write: (line, { message }) => (shown += line + message) }],
  });
  logs.log('websocket', 'ERROR', 'connect ?token=abc123', 'at /ws?token=abc123');
  await logs.close();
  const everything = shown + read(folder, 'api.log').join() + read(folder, 'errors.log').join();
  assert.match(everything, /token=…/);
  assert.doesNotMatch(everything, /abc123/);
});

for (const way of ['at-once', 'opened', 'throw']) {
  test(`a process that ends (${way}) right after logging has everything in its files`, () => {
    const folder = fresh();
    spawnSync(process.execPath, [...execArgv, program, folder, way]);
    const lines = messages(folder, 'api.log');
    assert.deepEqual(lines, [
      ...Array.from({ length: 1000 }, (_, i) => `training INFO record ${i}`),
      'training ERROR the last one',
    ]);
    assert.deepEqual(messages(folder, 'errors.log'), ['training ERROR the last one']);
  });
}

test('a second process writes a folder of its own and says so; the folder of a killed one is taken over', async (context) => {
  const folder = fresh();
  const first = fork(program, [folder, 'stay'], { execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  context.after(() => first.kill('SIGKILL'));
  await once(first, 'message');
  const shown: string[] = [];
  const second = new Logs({ folder, sinks: [{ level: 'WARNING', write: (line) => shown.push(line) }] });
  second.log('api', 'INFO', 'by the second');
  await second.opened();
  assert.equal(second.folder, path.join(folder, '2'));
  assert.match(shown.join(''), /Another process writes .*this one writes .*2/);
  const third = new Logs({ folder });
  await third.opened();
  assert.equal(third.folder, path.join(folder, '3'));
  await third.close();
  await second.close();
  assert.equal(messages(folder, 'api.log').length, 1001);
  assert.equal(messages(path.join(folder, '2'), 'api.log')[0], 'api INFO by the second');
  first.kill('SIGKILL');
  await once(first, 'exit');
  const next = new Logs({ folder });
  await next.opened();
  assert.equal(next.folder, folder);
  await next.close();
  assert.deepEqual(readdirSync(folder).sort(), ['2', '3', 'api.log', 'errors.log']);
});

test('a folder that cannot be written at the start is a warning, and its records come when it can', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const folder = fresh();
  writeFileSync(folder, 'a file in its place');
  const shown: string[] = [];
  const logs = new Logs({ folder, sinks: [{ level: 'INFO', write: (line) => shown.push(line) }] });
  logs.log('api', 'INFO', 'early');
  await logs.opened();
  assert.equal(logs.folder, undefined);
  assert.equal(shown.length, 2);
  assert.match(shown[1]!, /WARNING - .*logs cannot be written/);
  for (const again of [1, 2]) {
    context.mock.timers.tick(5000);
    await logs.opened();
    logs.log('api', 'INFO', `still not ${again}`);
  }
  assert.equal(shown.length, 4, 'one warning, and what is logged');
  rmSync(folder);
  context.mock.timers.tick(5000);
  await logs.opened();
  assert.equal(logs.folder, folder);
  await logs.close();
  const [early, , ...later] = messages(folder, 'api.log');
  assert.deepEqual([early, ...later], ['api INFO early', 'api INFO still not 1', 'api INFO still not 2']);
});

test('a folder that another process took over is left to it', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const folder = fresh();
  const warned = new Promise<string>((resolve) => {
    const logs = new Logs({ folder, sinks: [{ level: 'WARNING', write: resolve }] });
    context.after(() => logs.close());
    void logs.opened().then(() => {
      logs.log('api', 'INFO', 'before');
      // As after a night of sleep: the lock was stale, and is another's now.
      const owner = { host: hostname(), pid: process.ppid, id: 'another', time: new Date().toISOString() };
      writeFileSync(path.join(folder, 'lock'), JSON.stringify(owner));
      context.mock.timers.tick(5000);
    });
  });
  assert.match(await warned, /Another process writes .*this one writes .*2\./);
  assert.deepEqual(messages(folder, 'api.log'), ['api INFO before']);
});

test('a log folder deleted meanwhile is made again, and both files with it', async () => {
  const folder = fresh();
  const logs = new Logs({ folder });
  await logs.opened();
  logs.log('api', 'ERROR', 'gone with the folder');
  await new Promise((resolve) => setImmediate(resolve));
  rmSync(folder, { recursive: true });
  logs.log('api', 'ERROR', 'here again');
  await logs.close();
  assert.deepEqual(messages(folder, 'api.log'), ['api ERROR here again']);
  assert.deepEqual(messages(folder, 'errors.log'), ['api ERROR here again']);
});
