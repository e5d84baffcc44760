import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { RotatingFile, type RotatingFileOptions } from '../../../src/workbench/logging/rotating-file.js';
import { temporaryFolder } from '../small-run.js';

const folder = temporaryFolder();
const fresh = () => mkdtempSync(path.join(folder, 'case-'));
const linux = process.platform === 'linux';

function open(options: RotatingFileOptions = {}, dir = fresh()) {
  const name = path.join(dir, 'api.log');
  const file = new RotatingFile(options);
  file.place(name);
  return { dir, name, file };
}
const lines = (name: string) => readFileSync(name, 'utf8').split('\n').slice(0, -1);

test('files stay within their size, the live one has no number, and five older ones are kept', () => {
  const { dir, name, file } = open({ maxBytes: 1000 });
  for (let i = 0; i < 1000; i++) file.append(`line ${String(i).padStart(4, '0')}\n`);
  file.close();
  const names = ['api.log', ...[1, 2, 3, 4, 5].map((index) => `api.log.${index}`)];
  assert.deepEqual(readdirSync(dir).sort(), names);
  for (const each of names) assert.ok(statSync(path.join(dir, each)).size <= 1000);
  const kept = [...names].reverse().flatMap((each) => lines(path.join(dir, each)));
  assert.equal(kept.at(-1), 'line 0999');
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, i) => `line ${String(1000 - kept.length + i).padStart(4, '0')}`),
  );
  assert.ok(kept.length > 500);
  assert.ok(lines(name).length > 0);
});

test('what was logged in one turn of the event loop is in the file in the next', async () => {
  const { name, file } = open();
  file.append('a\n');
  file.append('b\n');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(lines(name), ['a', 'b']);
  file.close();
});

test('a line longer than a file is written whole', () => {
  const { name, file } = open({ maxBytes: 10 });
  file.append('short\n');
  file.append(`${'long'.repeat(10)}\n`);
  file.append('after\n');
  file.close();
  assert.deepEqual(lines(name), ['after']);
  assert.deepEqual(lines(`${name}.1`), ['long'.repeat(10)]);
  assert.deepEqual(lines(`${name}.2`), ['short']);
});

test('half a line that a killed process left does not run into the next', () => {
  const dir = fresh();
  writeFileSync(path.join(dir, 'api.log'), 'whole\nhal');
  const { name, file } = open({}, dir);
  file.append('next\n');
  file.close();
  assert.deepEqual(lines(name), ['whole', 'hal', 'next']);
});

test('a deleted folder is made again and logging goes on in it', () => {
  const { dir, name, file } = open();
  file.append('lost with the folder\n');
  file.flush();
  rmSync(dir, { recursive: true });
  file.append('first\n');
  file.flush();
  rmSync(name);
  file.append('second\n');
  file.flush();
  file.close();
  assert.deepEqual(lines(name), ['second']);
});

test('a file that cannot be written is reported once, and its lines come when it can', () => {
  const dir = fresh();
  const blocked = path.join(dir, 'logs');
  writeFileSync(blocked, 'a file where the folder should be');
  const failures: unknown[] = [];
  const file = new RotatingFile({ onFailure: (error) => failures.push(error), onRecovery: (lost) => `lost ${lost}\n` });
  file.place(path.join(blocked, 'api.log'));
  for (const line of ['a\n', 'b\n']) {
    file.append(line);
    file.flush();
  }
  assert.equal(failures.length, 1);
  rmSync(blocked);
  file.append('c\n');
  file.close();
  assert.deepEqual(lines(path.join(blocked, 'api.log')), ['a', 'b', 'c', 'lost 0']);
});

test('what does not fit into memory meanwhile is counted and the count is said', { skip: !linux }, () => {
  const dir = fresh();
  const name = path.join(dir, 'api.log');
  symlinkSync('/dev/full', name);
  const { file } = open({ onRecovery: (lost) => `lost ${lost}\n` }, dir);
  const text = 'x'.repeat(99);
  file.append('first\n');
  file.flush();
  for (let i = 0; i < 20_000; i++) file.append(`${text}\n`);
  file.flush();
  rmSync(name);
  file.append('dropped as well, the memory being full\n');
  file.flush();
  file.append('after\n');
  file.close();
  const written = lines(name);
  const held = written.filter((line) => line === text).length;
  assert.ok(held > 10_000 && held < 11_000);
  assert.deepEqual([written[0], ...written.slice(-2)], ['first', `lost ${20_001 - held}`, 'after']);
});

test('a disk that fills up in the middle of a line leaves whole lines only', { skip: !linux }, (context) => {
  const disk = path.join(fresh(), 'disk');
  const program = path.join(__dirname, 'programs', 'fill-disk.ts');
  const run = `mkdir ${disk} && mount -t tmpfs -o size=4m tmpfs ${disk} && exec ${process.execPath} --import tsx ${program} ${disk}`;
  // A mount namespace of its own: the disk disappears with the program, and no right is needed where user namespaces are allowed.
  const result = spawnSync(
    'unshare',
    [...(process.getuid?.() === 0 ? [] : ['--map-root-user']), '--mount', 'sh', '-c', run],
    {
      encoding: 'utf8',
    },
  );
  if (result.status === 32 || /unshare|mount/.test(result.stderr)) {
    context.diagnostic(
      `no small file system can be mounted here (${result.stderr.trim()}); /dev/full stood in for it above`,
    );
    return;
  }
  assert.equal(result.status, 0, result.stderr);
  const { written, lost, total } = JSON.parse(result.stdout) as { written: number; lost: number; total: number };
  assert.ok(written > 0 && lost > 0);
  assert.equal(written + lost, total);
});

test('tail -F follows across rotations without missing a line', { skip: process.platform === 'win32' }, async () => {
  const { name, file } = open({ maxBytes: 5000 });
  file.append('begin\n');
  file.flush();
  const tail = spawn('tail', ['-n', '+1', '-F', name], { stdio: ['ignore', 'pipe', 'ignore'] });
  let seen = '';
  const shows = (line: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!seen.endsWith(`${line}\n`)) return;
        tail.stdout.off('data', look);
        resolve();
      };
      tail.stdout.on('data', look);
      look();
    });
  tail.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
  await shows('begin');
  const expected = ['begin'];
  for (let batch = 0; batch < 6; batch++) {
    for (let i = 0; i < 100; i++) {
      const line = `batch ${batch} line ${i} ${'.'.repeat(20)}`;
      expected.push(line);
      file.append(`${line}\n`);
    }
    file.flush();
    await shows(expected.at(-1)!);
  }
  tail.kill();
  file.close();
  assert.ok(readdirSync(path.dirname(name)).length > 3);
  assert.deepEqual(seen.split('\n').slice(0, -1), expected);
});
