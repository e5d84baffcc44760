import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { formatRecord } from '../../src/workbench/logging/format.js';
import { start, temporaryFolder } from './cli.js';

const root = temporaryFolder();
const fresh = () => mkdtempSync(path.join(root, 'case-'));
const cli = path.resolve('dist/cli.js');
const writerProgram = path.resolve('test/workbench/logging/programs/log-in-batches.ts');

/** `iw logs --follow …`, with what it has printed. */
function follow(cwd: string, ...args: string[]) {
  const child = spawn(process.execPath, [cli, 'logs', '--follow', ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  after(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  let stderr = '';
  let look = () => {};
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    look();
  });
  child.stderr.on('data', (text) => (stderr += String(text)));
  const until = (ready: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => {
        reject(new Error(`ended with ${code}: ${stderr}`));
      });
      look = () => {
        if (ready()) resolve();
      };
      look();
    });
  return { child, lines, until };
}

/** A process that logs and rotates; `more` resolves when its next batch is in the file. */
async function startWriter(folder: string, name: string) {
  // Two batches fill three files; six are kept.
  const child: ChildProcess = fork(writerProgram, [folder, name, '200', '8000'], { execArgv: ['--import', 'tsx'] });
  after(() => child.kill('SIGKILL'));
  await once(child, 'message');
  const more = async () => {
    child.send('more');
    const [count] = (await once(child, 'message')) as [number];
    return count;
  };
  return { child, more };
}

const messages = (lines: readonly string[], name: string) =>
  lines.filter((line) => line.includes(` - INFO - ${name} `)).map((line) => Number(line.split(' ').at(-2)));
const counting = (count: number) => Array.from({ length: count }, (_, i) => i);

test('two writers are followed across rotations, a deleted folder and the death of one, each line once', async () => {
  const cwd = fresh();
  const folder = path.join(cwd, 'logs');
  mkdirSync(folder);
  const { lines, until } = follow(cwd);
  const one = await startWriter(folder, 'one');
  const two = await startWriter(folder, 'two');
  let counts: number[] = [];
  const round = async () => {
    counts = await Promise.all([one.more(), two.more()]);
    await until(() => messages(lines, 'one').length >= counts[0]! && messages(lines, 'two').length >= counts[1]!);
  };
  for (let i = 0; i < 3; i++) await round();
  rmSync(folder, { recursive: true });
  for (let i = 0; i < 2; i++) await round();
  two.child.kill('SIGKILL');
  const count = await one.more();
  await until(() => messages(lines, 'one').length >= count);
  assert.deepEqual(messages(lines, 'one'), counting(count));
  assert.deepEqual(messages(lines, 'two'), counting(counts[1]!));
  // A record with a stack stays together, whoever else writes.
  for (const [i, line] of lines.entries()) {
    const stack = /^ {4}Error: (.*)$/.exec(line);
    if (!stack) continue;
    const [, name, number] = / - INFO - (\w+) (\d+) /.exec(lines[i - 1]!)!;
    assert.equal(name, stack[1]);
    assert.equal(lines[i + 1], `        at f (a.js:${number}:1)`);
  }
});

const record = (message: string, level: 'INFO' | 'ERROR' = 'INFO') =>
  formatRecord({ time: Date.now(), component: 'api', level, message });

test('what is followed is filtered, and may be JSON', async () => {
  const cwd = fresh();
  const file = path.join(cwd, 'api.log');
  appendFileSync(file, record('old', 'ERROR') + record('older'));
  const { lines, until } = follow(cwd, '--dir', '.', '--level', 'ERROR', '--json');
  await until(() => lines.length === 1);
  appendFileSync(file, record('no') + record('yes', 'ERROR'));
  await until(() => lines.length === 2);
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { message: string }).message),
    ['old', 'yes'],
  );
});

test('following ends quietly when the reader has gone', async () => {
  const cwd = fresh();
  const file = path.join(cwd, 'api.log');
  appendFileSync(file, record('first'));
  const { child, lines, until } = follow(cwd, '--dir', '.');
  await until(() => lines.length === 1);
  child.removeAllListeners('exit');
  const ended = once(child, 'exit');
  const closed = once(child.stdout, 'close');
  child.stdout.destroy();
  await closed;
  appendFileSync(file, record('nobody reads this'));
  assert.deepEqual(await ended, [0, null]);
});

test('files of 60 MB need little memory, and a reader that has enough ends it quietly', async () => {
  const cwd = fresh();
  mkdirSync(path.join(cwd, 'logs'));
  const head = record('').trimEnd();
  const contents = ['api.log.5', 'api.log.4', 'api.log.3', 'api.log.2', 'api.log.1', 'api.log'].map((name) => {
    const lines = Array.from({ length: 1000 }, (_, i) => `${head} ${name} ${i} ${'.'.repeat(50)}\n`);
    const content = Buffer.from(lines.join('').repeat(100));
    writeFileSync(path.join(cwd, 'logs', name), content);
    return content;
  });
  const run = (redirect: string, ...args: string[]) =>
    start(cwd, ['logs', ...args], {
      env: { NODE_OPTIONS: '--max-old-space-size=40' },
      through: process.platform === 'win32' ? [] : ['bash', '-c', `"$@" ${redirect}`, 'bash'],
    });
  const newest = await run('', '-n', '3');
  assert.deepEqual(
    newest.stdout.split('\n').map((line) => line.split(' ').at(-2)),
    ['997', '998', '999', undefined],
  );
  if (process.platform === 'win32') return;
  const all = await run('> all.txt', '--since', '1d');
  assert.equal(all.code, 0, all.stderr);
  assert.ok(Buffer.concat(contents).equals(readFileSync(path.join(cwd, 'all.txt'))));
  const enough = await run('| head -n 1; echo "${PIPESTATUS[0]}"', '--since', '1d');
  assert.match(enough.stdout, / api\.log\.5 0 \.+\n0\n$/);
  assert.equal(enough.stderr, '');
});
