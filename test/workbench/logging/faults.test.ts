import assert from 'node:assert/strict';
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { LogReader } from '../../../src/workbench/logging/log-reader.js';
import { Logs } from '../../../src/workbench/logging/logs.js';
import { temporaryFolder } from '../small-run.js';

const root = temporaryFolder();
const fresh = () => path.join(mkdtempSync(path.join(root, 'case-')), 'logs');
const program = (name: string) => path.join(__dirname, 'programs', `${name}.ts`);
const execArgv = ['--import', 'tsx'];

async function readAll(folder: string) {
  const reader = await LogReader.open({ folders: [folder] });
  const records = [];
  for await (const record of reader.all()) records.push(record);
  await reader.close();
  return records;
}

test('a process killed while it logs and rotates loses nothing that had reached its files', async () => {
  const folder = fresh();
  const writer = fork(program('log-in-batches'), [folder, 'record', '100', '200000'], { execArgv });
  let inFile = 0;
  writer.on('message', (count: number) => {
    inFile = count;
    // The next batch is begun at once, so that the kill comes in the middle of one.
    if (count < 10_000) writer.send('more');
    if (count === 8000) writer.kill('SIGKILL');
  });
  await once(writer, 'exit');
  assert.ok(inFile >= 8000);
  const next = new Logs({ folder });
  await next.opened();
  assert.equal(next.folder, folder, 'the folder of a killed process is free');
  next.log('engine', 'INFO', 'the next process');
  await next.close();
  const records = await readAll(folder);
  assert.equal(records.pop()?.record?.message, 'the next process');
  const numbers = records.map(({ record }) => Number(/^record (\d+) /.exec(record!.message)?.[1]));
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i),
  );
  assert.ok(numbers.length >= inFile, `${numbers.length} of ${inFile}`);
  assert.ok(readdirSync(folder).includes('api.log.1'));
});

test('two processes that log and rotate at once have a folder each, and are read as one log', async () => {
  const folder = fresh();
  const writers = ['one', 'two'].map((name) =>
    fork(program('log-in-batches'), [folder, name, '500', '100000'], { execArgv }),
  );
  // Both have their folder before either logs.
  await Promise.all(writers.map((writer) => once(writer, 'message')));
  await Promise.all(
    writers.map(async (writer) => {
      for (let logged = 0; logged < 5000; logged += 500) {
        writer.send('more');
        await once(writer, 'message');
      }
      writer.disconnect();
      await once(writer, 'exit');
    }),
  );
  const records = await readAll(folder);
  for (const name of ['one', 'two']) {
    const own = records.filter(({ text }) => text.includes(` - ${name} `));
    assert.deepEqual(
      own.map(({ record }) => record!.message),
      Array.from({ length: 5000 }, (_, i) => `${name} ${i} ${'.'.repeat(i % 70)}`),
    );
    assert.equal(own.filter(({ record }) => record!.stack?.startsWith(`Error: ${name}\n    at f`)).length, 100);
  }
  assert.equal(records.length, 10_001, 'and the second one says that it is');
});

const small = path.join(root, 'small');
mkdirSync(small);
// A private mount needs Linux and a kernel that lets this user have one.
const mounts = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', small]).status === 0;
const skip = mounts ? false : 'no small file system can be mounted here (needs Linux user namespaces)';

test('training goes on while the disk of the logs is full; lost lines are counted and said once', { skip }, () => {
  const runDir = path.join(root, 'run');
  const run = `mount -t tmpfs -o size=2m none ${small} && exec ${process.execPath} --import tsx ${program('train-on-full-disk')} ${small} ${runDir}`;
  const { stdout, stderr } = spawnSync('unshare', ['-Urm', 'sh', '-c', run], { encoding: 'utf8', maxBuffer: 1e8 });
  assert.equal(stderr, '');
  const result = JSON.parse(stdout) as Record<'status' | 'full' | 'log', string> & { shown: string[]; logged: number };
  assert.equal(result.status, 'completed');
  assert.deepEqual(readdirSync(runDir).includes('sae_weights.safetensors'), true);
  assert.equal(result.shown.length, 1, result.shown.join(''));
  assert.match(result.shown[0]!, /WARNING - .*api\.log cannot be written: The disk is full/);
  const lines = result.log.split('\n').slice(0, -1);
  assert.match(lines[0]!, / - before$/);
  assert.match(lines.at(-1)!, / - after$/);
  const notices = lines.filter((line) => line.includes('log records are missing here'));
  assert.equal(notices.length, 1);
  const lost = Number(/(\d+) log records are missing/.exec(notices[0]!)?.[1]);
  const kept = lines.filter((line) => line.includes(' - during ')).length;
  const others = lines.filter((line) => / - (engine|training|model|sae) - /.test(line)).length;
  assert.ok(lost > 0 && kept > 0 && others > 0);
  assert.ok(kept + lost >= result.logged, `${kept} kept and ${lost} lost of ${result.logged}`);
  assert.ok(lost - (result.logged - kept) < 100, 'besides them only what the job itself logged');
  for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - \w+ - [A-Z]+ - ./);
});

test('a record costs microseconds, also when each has a turn of its own', async () => {
  const folder = fresh();
  const logs = new Logs({ folder, maxBytes: 1_000_000 });
  await logs.opened();
  const count = 20_000;
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    logs.log('api', 'INFO', 'GET /sae/training/status/6f0c1d2e-0000-4000-8000-123456789abc 200 1.2 ms');
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  await logs.close();
  assert.equal((await readAll(folder)).length, count);
  assert.ok((user + system) / count < 250, `${(user + system) / count} µs a record`);
});
