import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { configPath, jobPath } from '../../src/run/layout.js';
import { RunLock } from '../../src/run/lock.js';
import { readJob, readMetrics, writeJob, type JobRecord } from '../../src/run/records.js';
import { emptyMetrics } from '../../src/shared/events.js';
import { possibleActions, type RunState } from '../../src/shared/panel.js';
import { SeriesBuilder, withPart, type Series } from '../../src/shared/series.js';
import { noProgress } from '../../src/workbench/job-journal.js';
import { JobManager, type JobManagerOptions } from '../../src/workbench/jobs.js';
import { RunBoard, type BoardChange } from '../../src/workbench/run-board.js';
import { enginePath, longRun, root, smallRun, temporaryFolder } from './small-run.js';

const folder = temporaryFolder();
const opened: RunBoard[] = [];
// A board alone keeps no process alive, but these tests wait for it.
const alive = setInterval(() => undefined, 60_000);
after(() => {
  clearInterval(alive);
  for (const board of opened) board.dispose();
});

/** A window on a folder: its jobs and its board. */
function openWindow(base = mkdtempSync(path.join(folder, 'case-')), options: Partial<JobManagerOptions> = {}) {
  const runsFolder = path.join(base, '.interpretability', 'runs');
  const warnings: string[] = [];
  const log = (_: string, level: string, message: string) => {
    if (level === 'ERROR' || level === 'WARNING') warnings.push(message);
  };
  const jobs = new JobManager({ log, enginePath, runsFolder, ...options });
  const board = new RunBoard({ jobs, folders: () => [runsFolder], log });
  opened.push(board);
  const changes: BoardChange[] = [];
  board.subscribe((change) => changes.push(change));
  return { base, runsFolder, jobs, board, changes, warnings };
}

/** Resolves with the run once it is as wanted, at the latest when the test's own time is over. */
function seen(board: RunBoard, id: string, wanted: (run: RunState) => boolean): Promise<RunState> {
  return new Promise((resolve) => {
    const look = () => {
      const run = board.get(id);
      if (!run || !wanted(run)) return;
      stop();
      resolve(run);
    };
    const stop = board.subscribe(look);
    look();
  });
}
const is =
  (status: string, owner = 'nobody') =>
  (run: RunState) =>
    run.progress.status === status && run.owner === owner;
const trains = (owner: string) => (run: RunState) => is('training', owner)(run) && run.progress.step > 0;

/** The changes without their numbers: what happened to a run, in order. */
function story(changes: readonly BoardChange[], id: string): string[] {
  return changes.flatMap((change) =>
    change.type === 'run' && change.run.id === id ? [`${change.run.progress.status} ${change.run.owner}`] : [],
  );
}

const record = (id: string, dir: string, change: Partial<JobRecord> = {}): JobRecord => ({
  job_id: id,
  ...noProgress(1, emptyMetrics),
  status: 'cancelled',
  attempt: 1,
  seq: 1,
  created_at: '2026-11-22T15:00:00.000Z',
  started_at: null,
  completed_at: null,
  elapsed_time: 0,
  output_dir: dir,
  config: { layer_idx: 1, model: 'bundled:demo-gpt2' },
  ...change,
});

/** The folder of a run that nobody trains. */
async function put(runsFolder: string, id: string, change: Partial<JobRecord> = {}, name = id): Promise<string> {
  const dir = path.join(runsFolder, name);
  mkdirSync(dir, { recursive: true });
  await writeJob(dir, record(id, dir, change));
  return dir;
}

test('a run of this process is on the board from the queue to its evaluation', async () => {
  const { jobs, board, changes } = openWindow();
  const job = await jobs.start({ ...smallRun, log_every_steps: 1 });
  assert.equal(board.get(job.id)?.name, 'layer 0 of tiny-sotu-gpt2');
  assert.equal(board.get(job.id)?.config.batch_size, 128);
  assert.equal(board.get(job.id)?.config.learning_rate, undefined);
  const begun = await seen(board, job.id, (run) => trains('here')(run) && run.config.learning_rate !== undefined);
  assert.equal(begun.name, 'layer 0 of tiny-sotu-gpt2');
  const done = await seen(board, job.id, is('completed'));
  assert.deepEqual(done.progress.metrics, (await readJob(job.runDir)).metrics);
  assert.equal(done.progress.progress, 100);
  assert.equal(done.dir, job.runDir);
  assert.ok(done.evaluation !== null && done.completedAt !== null && done.error === null && !done.checkpoint);
  const statuses = [...new Set(story(changes, job.id))];
  assert.deepEqual(statuses, ['queued here', 'starting here', 'preparing here', 'training here', 'completed nobody']);
  await board.refresh();
  assert.deepEqual(board.list(), [done]);
  // Another window, opened later, shows the same from the folder alone.
  const later = openWindow(path.resolve(job.runDir, '..', '..', '..'));
  await later.board.refresh();
  const { timestamp, ...progress } = later.board.get(job.id)!.progress;
  const { timestamp: earlier, ...same } = done.progress;
  assert.deepEqual({ ...progress, seq: 0 }, { ...same, seq: 0 });
  assert.ok(Math.abs(Date.parse(timestamp) - Date.parse(earlier)) < 5000);
  assert.deepEqual({ ...later.board.get(job.id), progress: null }, { ...done, progress: null });
});

test('a run that is cancelled, resumed and interrupted keeps its numbers and its config', async () => {
  const { jobs, board } = openWindow();
  const job = await jobs.start(longRun);
  await seen(board, job.id, trains('here'));
  await jobs.cancel(job.id);
  const cancelled = await seen(board, job.id, is('cancelled'));
  assert.ok(cancelled.checkpoint && cancelled.config.learning_rate !== undefined && cancelled.progress.step > 0);
  await jobs.resume(job.id);
  assert.equal(board.get(job.id)?.progress.attempt, 2);
  assert.equal(board.get(job.id)?.owner, 'here');
  await seen(board, job.id, trains('here'));
  await jobs.dispose();
  const interrupted = await seen(board, job.id, is('interrupted'));
  assert.ok(interrupted.checkpoint && interrupted.progress.step >= cancelled.progress.step);
  assert.deepEqual(possibleActions(interrupted), ['resume', 'openFolder', 'showLogs', 'delete']);
});

test('an engine that dies leaves a failed run that says why', async () => {
  const { jobs, board } = openWindow();
  const job = await jobs.start({ ...longRun, checkpoint_seconds: 0 });
  await seen(board, job.id, trains('here'));
  process.kill((await RunLock.owner(job.runDir))!.pid, 'SIGKILL');
  const { error, progress, checkpoint } = await seen(board, job.id, is('failed'));
  assert.ok(error !== null && error.hint !== '' && progress.error === error.message && checkpoint);
});

test('input that cannot be used leaves a card that says why, until it is taken away', async () => {
  const { jobs, board } = openWindow();
  const job = await jobs.start({ ...smallRun, layer_idx: 99 });
  const failed = await seen(board, job.id, is('failed'));
  assert.equal(failed.error?.code, 'hook_not_found');
  assert.equal(failed.saved, false);
  assert.deepEqual(possibleActions(failed), ['showLogs', 'delete']);
  await board.refresh();
  assert.deepEqual(board.list(), [failed]);
  await board.delete(job.id);
  await board.refresh();
  assert.deepEqual(board.list(), []);
});

test('a resume that is refused says why and leaves the run', async () => {
  const { jobs, board } = openWindow();
  const job = await jobs.start(longRun);
  await seen(board, job.id, trains('here'));
  await jobs.cancel(job.id);
  await jobs.start({ model: 'bundled:demo-gpt2' }, { runDir: job.runDir, resume: true });
  const refused = await seen(board, job.id, is('failed'));
  assert.equal(refused.error?.code, 'resume_mismatch');
  assert.ok(refused.checkpoint && refused.saved === undefined);
  await board.refresh();
  assert.deepEqual(board.get(job.id), refused);
});

test('a run in a folder of its own is on the board as long as the job is this process’s', async () => {
  const { base, jobs, board } = openWindow();
  const job = await jobs.start({ ...smallRun, output_dir: path.join(base, 'mine') });
  await seen(board, job.id, is('completed'));
  await board.refresh();
  assert.equal(board.list().length, 1);
  rmSync(job.runDir, { recursive: true });
  await board.refresh();
  assert.deepEqual(board.list(), []);
});

test('a run whose job is forgotten stays on the board as long as its folder is there, wherever that is', async () => {
  const { base, jobs, board, changes } = openWindow(undefined, { concurrency: 0, endedLimit: 2 });
  const outside = await jobs.start({ ...smallRun, output_dir: path.join(base, 'mine') });
  const inside = await jobs.start(smallRun);
  const others = [await jobs.start(smallRun), await jobs.start(smallRun)];
  for (const { id } of [outside, inside, ...others]) await jobs.cancel(id);
  assert.equal(jobs.find(outside.id), undefined);
  assert.equal(jobs.find(inside.id), undefined);
  for (const { id } of [outside, inside, ...others]) await seen(board, id, is('cancelled'));
  const told = changes.length;
  await board.refresh();
  assert.equal(board.list().length, 4);
  assert.equal(changes.length, told);
  rmSync(outside.runDir, { recursive: true });
  await board.refresh();
  assert.equal(board.get(outside.id), undefined);
  const again = await jobs.start({}, { runDir: inside.runDir, resume: true });
  assert.ok(is('queued', 'here')(board.get(again.id)!));
  await jobs.cancel(again.id);
});

test('what another process trains is followed from its files, and can go on here once that process is killed', async () => {
  const { base, jobs, board, changes } = openWindow();
  const appeared = new Promise<RunState>((resolve) => {
    const stop = board.subscribe((change) => {
      if (change.type !== 'run') return;
      stop();
      resolve(change.run);
    });
  });
  // Nothing of the runs folder exists yet: it is waited for.
  await board.refresh();
  const config = path.join(base, 'long.sae.json');
  writeFileSync(config, JSON.stringify({ ...longRun, log_every_steps: 1 }));
  const cli = spawn(process.execPath, [path.join(root, 'dist', 'cli.js'), 'train', config], { cwd: base });
  const { id } = await appeared;
  const other = await seen(board, id, trains('elsewhere'));
  assert.deepEqual(possibleActions(other), ['openFolder', 'showLogs']);
  await seen(board, id, ({ config: { learning_rate } }) => learning_rate !== undefined);
  let series: Series | undefined;
  const unfollow = board.follow(id, (start, part) => {
    series = withPart(series ?? new SeriesBuilder().take().series, { start, series: part });
  });
  await seen(board, id, ({ progress }) => progress.step > other.progress.step);
  cli.kill('SIGKILL');
  await once(cli, 'exit');
  await seen(board, id, is('interrupted'));
  assert.ok(!story(changes, id).slice(0, -1).includes('interrupted nobody'), story(changes, id).join());
  unfollow();
  assert.ok(series !== undefined && series.step.length > 0);

  const job = await jobs.start({}, { runDir: other.dir, resume: true });
  assert.equal(job.id, id);
  await seen(board, id, trains('here'));
  await jobs.cancel(id);
  assert.equal((await seen(board, id, is('cancelled'))).progress.attempt, 2);
});

test('two windows on one folder show each other’s runs, whoever trains them', async () => {
  const one = openWindow();
  const two = openWindow(one.base);
  await two.board.refresh();
  const job = await one.jobs.start(longRun);
  await seen(two.board, job.id, trains('elsewhere'));
  await one.jobs.pause(job.id);
  await seen(two.board, job.id, is('paused', 'elsewhere'));
  await one.jobs.dispose();
  await seen(two.board, job.id, is('interrupted'));
  await two.jobs.start({}, { runDir: job.runDir, resume: true });
  await seen(two.board, job.id, trains('here'));
  await one.board.refresh();
  await seen(one.board, job.id, trains('elsewhere'));
  await two.jobs.cancel(job.id);
  const [here, there] = await Promise.all([two, one].map(({ board }) => seen(board, job.id, is('cancelled'))));
  assert.deepEqual({ ...here, progress: here!.progress.metrics }, { ...there, progress: there!.progress.metrics });
  // Nothing is asked to look again: each window does so by itself.
  const three = openWindow(one.base);
  await three.jobs.start({}, { runDir: job.runDir, resume: true });
  await Promise.all([one, two].map(({ board }) => seen(board, job.id, trains('elsewhere'))));
  await three.jobs.cancel(job.id);
});

test('a job that ends during a look into the folders stays on the board', async () => {
  const { runsFolder, jobs } = openWindow();
  jobs.configure({ concurrency: 0 });
  const job = await jobs.start(smallRun);
  // So many places to look at that the job's end comes first.
  const elsewhere = Array.from({ length: 20_000 }, (_, i) => path.join(runsFolder, `missing-${i}`));
  const alone = () => {
    if (job.state === 'waiting') void jobs.cancel(job.id);
    return elsewhere;
  };
  const board = new RunBoard({ jobs, folders: () => [runsFolder], alone, log: () => undefined });
  opened.push(board);
  const looked = board.refresh();
  await seen(board, job.id, is('cancelled'));
  await looked;
  assert.deepEqual(
    board.list().map(({ id }) => id),
    [job.id],
  );
});

test('a run that waits in one window cannot be taken by another', async () => {
  const one = openWindow();
  one.jobs.configure({ concurrency: 0 });
  const job = await one.jobs.start(smallRun);
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(jobPath(job.runDir), longAgo, longAgo);
  const two = openWindow(one.base);
  await two.board.refresh();
  assert.ok(is('queued', 'elsewhere')(two.board.get(job.id)!));
  await assert.rejects(two.jobs.start({}, { runDir: job.runDir, resume: true }), /in use/);
  await assert.rejects(two.board.delete(job.id), /in use/);
  one.jobs.configure({ concurrency: 1 });
  assert.equal((await job.ended).status, 'completed');
});

test('a run is followed from its first line, through a resume, to the end of its file', async () => {
  const { jobs, board } = openWindow();
  const job = await jobs.start({ ...longRun, log_every_steps: 1 });
  let series: Series | undefined;
  let starts: number[] = [];
  const followed = (wanted: () => boolean) =>
    new Promise<void>((resolve) => {
      const unfollow = board.follow(job.id, (start, part) => {
        starts.push(start);
        series = withPart(series ?? part, { start, series: part });
        if (!wanted()) return;
        unfollow();
        resolve();
      });
    });
  const count = async () => (await readMetrics(job.runDir)).at(-1)?.step;
  await followed(() => series!.step.length > 100);
  assert.equal(starts[0], 0);
  assert.ok(starts.length > 1);
  await jobs.cancel(job.id);
  await seen(board, job.id, is('cancelled'));
  const end = await count();
  starts = [];
  await followed(() => series!.step.at(-1) === end);
  assert.deepEqual(starts, [0]);

  await jobs.resume(job.id);
  const further = followed(() => series!.step.at(-1)! > end!);
  await further;
  await jobs.cancel(job.id);
  await seen(board, job.id, is('cancelled'));
  const last = await count();
  await followed(() => series!.step.at(-1) === last);
  const builder = new SeriesBuilder();
  for (const line of await readMetrics(job.runDir)) builder.add(line);
  assert.deepEqual(series, builder.take().series);
});

test('run folders come and go with what is on disk', async () => {
  const { runsFolder, board, changes, warnings } = openWindow();
  await put(runsFolder, 'old', { created_at: '2026-11-22T14:00:00.000Z' });
  const dir = await put(runsFolder, 'new', { status: 'completed', completed_at: '2026-11-22T15:01:00.000Z' });
  await put(runsFolder, 'dead', { status: 'training', created_at: '2026-11-22T14:30:00.000Z' });
  mkdirSync(path.join(runsFolder, 'holiday pictures'));
  mkdirSync(path.join(runsFolder, '.deleted-1-gone'));
  await writeJob(path.join(runsFolder, '.deleted-1-gone'), record('gone', ''));
  mkdirSync(path.join(runsFolder, 'damaged'));
  writeFileSync(jobPath(path.join(runsFolder, 'damaged')), '{');
  await board.refresh();
  const listed = board.list().map(({ id, owner, progress }) => `${id} ${progress.status} ${owner}`);
  assert.deepEqual(listed, ['new completed nobody', 'dead interrupted nobody', 'old cancelled nobody']);
  assert.deepEqual(
    warnings.map((message) => message.includes('damaged')),
    [true],
  );
  const before = changes.length;
  await board.refresh();
  assert.equal(changes.length, before);
  assert.equal(warnings.length, 1);

  cpSync(dir, path.join(runsFolder, 'a copy'), { recursive: true });
  await board.refresh();
  assert.equal(board.list().length, 3);
  assert.equal(board.get('new')?.dir, dir);
  assert.match(warnings[1] ?? '', /a copy is a copy of/);

  await board.delete('new');
  assert.ok(!existsSync(dir));
  // Now the copy is the only one.
  assert.equal(board.get('new')?.dir, path.join(runsFolder, 'a copy'));
  await board.delete('new');
  const removal = new Promise<BoardChange>((resolve) => board.subscribe(resolve));
  rmSync(path.join(runsFolder, 'old'), { recursive: true });
  assert.deepEqual(await removal, { type: 'removed', id: 'old' });
  assert.deepEqual(
    board.list().map(({ id }) => id),
    ['dead'],
  );
});

test('a run that is just being started elsewhere is not taken for an interrupted one', async () => {
  const { runsFolder, board } = openWindow();
  const dir = await put(runsFolder, 'a', { status: 'queued' });
  await board.refresh();
  assert.equal(is('queued', 'elsewhere')(board.get('a')!), true);
  const past = new Date(Date.now() - 10_000);
  utimesSync(jobPath(dir), past, past);
  await board.refresh();
  assert.equal(is('interrupted')(board.get('a')!), true);
});

test('what a front end gets wrong is logged and keeps nothing from the others', async () => {
  const { runsFolder, board, warnings } = openWindow();
  board.subscribe(() => {
    throw new Error('a front end with a fault');
  });
  const told: BoardChange[] = [];
  board.subscribe((change) => told.push(change));
  await put(runsFolder, 'a');
  await board.refresh();
  assert.equal(told.length, 1);
  assert.match(warnings.join(), /a front end with a fault/);
});

test('a folder that becomes a run only after it was seen is not missed', async () => {
  const { runsFolder, board } = openWindow();
  mkdirSync(path.join(runsFolder, 'slow'), { recursive: true });
  await board.refresh();
  await put(runsFolder, 'slow');
  await seen(board, 'slow', is('cancelled'));
});

test('of hundreds of runs that nobody trains only those are read again whose job.json has changed', async () => {
  const { runsFolder, board, changes } = openWindow();
  for (let i = 0; i < 300; i++) await put(runsFolder, `run-${i}`);
  await board.refresh();
  assert.equal(board.list().length, 300);
  assert.equal(changes.splice(0).length, 300);
  for (const id of ['run-7', 'run-8'])
    writeFileSync(configPath(path.join(runsFolder, id)), JSON.stringify({ name: 'read again' }));
  await put(runsFolder, 'run-7', { seq: 2 });
  await board.refresh();
  assert.equal(changes.length, 1);
  assert.equal(board.get('run-7')?.name, 'read again');
});
