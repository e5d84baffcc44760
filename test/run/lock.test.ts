import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { lockPath } from '../../src/run/layout.js';
import { RunLock, type LockOwner } from '../../src/run/lock.js';
import type { WorkbenchError } from '../../src/shared/errors.js';
import { repeats } from '../soak.js';

const folder = mkdtempSync(path.join(tmpdir(), 'iw-lock-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});
const fresh = () => mkdtempSync(path.join(folder, 'case-'));
const program = path.join(__dirname, 'programs', 'take-lock.ts');
const start = (...args: string[]) =>
  fork(program, args, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });

const gone = 999_999_999;

function leave(dir: string, owner: Partial<LockOwner>, ageSeconds = 0, file = 'lock'): void {
  const whole = { host: hostname(), pid: process.pid, id: 'left', time: new Date().toISOString(), ...owner };
  writeFileSync(path.join(dir, file), `${JSON.stringify(whole)}\n`);
  const time = Date.now() / 1000 - ageSeconds;
  utimesSync(path.join(dir, file), time, time);
}

const refuses = (dir: string) =>
  assert.rejects(RunLock.acquire(dir), ({ problem }: WorkbenchError) => problem.code === 'run_in_use' && problem.input);

test('a lock is held by one and free again after it was released', async () => {
  const dir = fresh();
  assert.equal(await RunLock.owner(dir), null);
  const lock = await RunLock.acquire(dir);
  assert.equal((await RunLock.owner(dir))?.pid, process.pid);
  await refuses(dir);
  lock.release();
  assert.equal(await RunLock.owner(dir), null);
  assert.deepEqual(readdirSync(dir), []);
  (await RunLock.acquire(dir)).release();
});

test('whoever finds the folder in use is told by whom', async () => {
  const dir = fresh();
  leave(dir, { host: 'elsewhere', pid: 4711 });
  await assert.rejects(RunLock.acquire(dir), /4711 on elsewhere/);
});

test('the lock of a process that is gone is taken over at once', async () => {
  const dir = fresh();
  leave(dir, { pid: gone });
  assert.equal(await RunLock.owner(dir), null);
  const lock = await RunLock.acquire(dir);
  assert.deepEqual(readdirSync(dir), ['lock']);
  lock.release();
});

test('another host’s lock is taken over once it was not refreshed for 20 s, not before', async () => {
  const dir = fresh();
  leave(dir, { host: 'elsewhere' }, 15);
  await refuses(dir);
  leave(dir, { host: 'elsewhere' }, 25);
  (await RunLock.acquire(dir)).release();
});

test('a lock with unreadable contents counts by its age', async () => {
  const dir = fresh();
  writeFileSync(lockPath(dir), '{"host":');
  await refuses(dir);
  utimesSync(lockPath(dir), 0, Date.now() / 1000 - 30);
  const lock = await RunLock.acquire(dir);
  assert.deepEqual(readdirSync(dir), ['lock']);
  lock.release();
});

test('a takeover that was itself cut short is taken over', async () => {
  const dir = fresh();
  leave(dir, { pid: gone, id: 'first' });
  leave(dir, { pid: gone, id: 'second' }, 0, 'lock.first');
  leave(dir, { pid: gone, id: 'third' }, 0, 'lock.second');
  const lock = await RunLock.acquire(dir);
  assert.deepEqual(readdirSync(dir), ['lock']);
  await refuses(dir);
  lock.release();
});

test('a takeover in progress counts as holding', async () => {
  const dir = fresh();
  leave(dir, { pid: gone, id: 'first' });
  leave(dir, { id: 'second' }, 0, 'lock.first');
  assert.equal((await RunLock.owner(dir))?.id, 'second');
  await refuses(dir);
});

test('refreshing keeps a lock fresh, and brings back a file that was deleted', async () => {
  const dir = fresh();
  const lock = await RunLock.acquire(dir);
  utimesSync(lockPath(dir), 0, 0);
  assert.equal(await RunLock.owner(dir), null);
  await lock.refresh();
  assert.equal((await RunLock.owner(dir))?.pid, process.pid);
  rmSync(lockPath(dir));
  await lock.refresh();
  await refuses(dir);
  lock.release();
  assert.deepEqual(readdirSync(dir), []);
});

test('a holder that slept through a takeover learns of it and leaves the new holder’s lock alone', async () => {
  const dir = fresh();
  let told = 0;
  const slept = await RunLock.acquire(dir, () => told++);
  const slepts = readFileSync(lockPath(dir), 'utf8');
  utimesSync(lockPath(dir), 0, 0);
  const second = await RunLock.acquire(dir);
  await slept.refresh();
  await slept.refresh();
  assert.equal(told, 1);
  assert.equal(slept.lost, true);
  slept.release();
  assert.notEqual(readFileSync(lockPath(dir), 'utf8'), slepts);
  await refuses(dir);
  second.release();
});

/** Starts processes that take the lock in turns, all at the same moment; returns their exit codes. */
async function race(dir: string, ...args: string[]): Promise<number[]> {
  const racers = Array.from({ length: 4 }, () => start(dir, ...args));
  await Promise.all(racers.map((racer) => once(racer, 'message')));
  const ends = racers.map(async (racer) => ((await once(racer, 'exit')) as [number])[0]);
  for (const racer of racers) racer.send('go');
  return Promise.all(ends);
}

test('processes racing for a lock never hold it two at a time', async () => {
  const dir = fresh();
  assert.deepEqual(await race(dir, '20'), [0, 0, 0, 0]);
  assert.deepEqual(readdirSync(dir), ['work']);
});

test('of processes racing for the lock of a dead one exactly one gets it, again and again', async () => {
  const dir = fresh();
  for (let round = 0; round < repeats(1, 100); round++) {
    assert.deepEqual(await race(dir, '20', 'crash'), [0, 0, 0, 0]);
  }
  assert.equal(await RunLock.owner(dir), null);
});
