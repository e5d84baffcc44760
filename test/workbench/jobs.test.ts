import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as v from 'valibot';
import { jobPath } from '../../src/run/layout.js';
import { RunLock } from '../../src/run/lock.js';
import { readJob, readRun, writeJob } from '../../src/run/records.js';
import type { WorkbenchError } from '../../src/shared/errors.js';
import { isTerminal, jobEventSchema, type JobEvent, type TrainingProgress } from '../../src/shared/events.js';
import { type Job, JobManager, type JobManagerOptions } from '../../src/workbench/jobs.js';
import { enginePath, longRun, smallRun, temporaryFolder } from './small-run.js';

const folder = temporaryFolder();
const silent = () => undefined;

function manager(options: Partial<JobManagerOptions> = {}) {
  const base = mkdtempSync(path.join(folder, 'case-'));
  const runsFolder = path.join(base, '.interpretability', 'runs');
  const jobs = new JobManager({ log: silent, enginePath, runsFolder, ...options });
  const events: JobEvent[] = [];
  jobs.subscribe((event) => events.push(event));
  return { base, runsFolder, jobs, events };
}

/** Resolves with the first event that is as wanted. */
function eventOf(
  jobs: JobManager,
  id: string,
  wanted: (progress: TrainingProgress) => boolean,
): Promise<TrainingProgress> {
  return new Promise((resolve) => {
    const stop = jobs.subscribe((event) => {
      if (event.type !== 'training_progress' || event.job_id !== id || !wanted(event)) return;
      stop();
      resolve(event);
    });
  });
}
const trains = (jobs: JobManager, job: Job) =>
  eventOf(jobs, job.id, ({ status, step }) => status === 'training' && step > 0);

const refuses = (starting: Promise<unknown>, code: string) =>
  assert.rejects(starting, ({ problem }: WorkbenchError) => {
    assert.equal(problem.code, code);
    assert.equal(problem.input, true);
    return true;
  });

/** The contract of a job's event stream, attempt by attempt. */
function checkStream(events: readonly JobEvent[]): void {
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, i) => i + events[0]!.seq),
  );
  for (const event of events) {
    const parsed = v.safeParse(jobEventSchema, event);
    assert.ok(parsed.success, JSON.stringify(parsed.issues));
    assert.deepEqual(parsed.output, event);
    assert.deepEqual(JSON.parse(JSON.stringify(event)), event);
  }
  for (const attempt of new Set(events.map((event) => event.attempt))) {
    const own = events.filter((event) => event.attempt === attempt);
    const progress = own.filter((event) => event.type === 'training_progress');
    for (const [i, event] of progress.entries()) {
      const before = progress[i - 1];
      assert.ok(before === undefined || event.progress >= before.progress, 'progress never falls');
      assert.ok(before === undefined || event.elapsed_time >= before.elapsed_time, 'time does not run backwards');
      if (!isTerminal(event.status)) assert.notEqual(event.estimated_remaining, 0);
      if (event.status !== 'completed') assert.ok(event.progress <= 99.9);
    }
    assert.ok(progress.filter((event) => event.progress === 100).length <= 1);
    const last = own.at(-1)!;
    if (isTerminal(last.status)) {
      assert.notEqual(last.type, 'training_progress');
      assert.equal(own.filter(({ status }) => isTerminal(status)).length, 2);
      assert.equal(own.at(-2)!.type, 'training_progress');
      assert.equal(own.at(-2)!.status, last.status);
    }
  }
}

test('a job runs from queued to completed, and its folder and its events tell the same', async () => {
  const { jobs, events, runsFolder } = manager();
  jobs.subscribe(() => {
    throw new Error('a front end with a fault');
  });
  const job = await jobs.start(smallRun);
  const end = await job.ended;
  assert.equal(end.status, 'completed');
  checkStream(events);
  const [first] = events;
  const statuses = [...new Set(events.map(({ status }) => status))];
  assert.deepEqual(statuses, ['queued', 'starting', 'preparing', 'training', 'completed']);
  assert.ok(first?.type === 'training_progress' && first.estimated_remaining === null);
  const epochs = events.filter((event) => event.type === 'training_progress').map(({ epoch }) => epoch);
  for (const epoch of [1, 2, 3]) assert.ok(epochs.includes(epoch));
  const [last, terminal] = events.slice(-2) as [TrainingProgress, JobEvent];
  assert.equal(last.progress, 100);
  assert.equal(last.estimated_remaining, 0);
  assert.ok(last.metrics.train_loss !== null);
  assert.ok(terminal.type === 'training_completed' && existsSync(terminal.model_path));

  const record = await readJob(job.runDir);
  assert.deepEqual(record, JSON.parse(JSON.stringify(job.record)));
  assert.equal(record.seq, terminal.seq);
  assert.equal(record.status, 'completed');
  assert.deepEqual(record.metrics, last.metrics);
  const run = await readRun(job.runDir);
  assert.equal(run.status, 'completed');
  assert.equal(run.config.latent_dim, 64);
  assert.ok(run.lastMetrics !== null && run.evaluation !== null && run.checkpoint === null);
  assert.equal(readFileSync(path.join(runsFolder, '.gitignore'), 'utf8'), '*\n');
  assert.deepEqual(
    readdirSync(job.runDir).filter((name) => name.startsWith('.') || name === 'lock'),
    [],
  );
  await refuses(jobs.resume(job.id), 'wrong_state');
  await refuses(jobs.cancel(job.id), 'wrong_state');
});

test('input that cannot be used leaves nothing behind, wherever the folder was to be', async () => {
  const { base, jobs, events } = manager();
  const config = { ...smallRun, layer_idx: 99 };
  const inRuns = await (await jobs.start(config)).ended;
  assert.ok(inRuns.status === 'failed' && inRuns.problem.code === 'hook_not_found' && inRuns.problem.input);
  assert.deepEqual(readdirSync(base), []);
  const named = await (await jobs.start(config, { runDir: path.join(base, 'a', 'b') })).ended;
  assert.equal(named.status, 'failed');
  assert.deepEqual(readdirSync(base), []);
  const empty = path.join(base, 'empty');
  mkdirSync(empty);
  await (
    await jobs.start(config, { runDir: empty })
  ).ended;
  assert.deepEqual(readdirSync(empty), []);
  const failures = events.filter((event) => event.type === 'training_failed');
  assert.equal(failures.length, 3);
  const [told] = events.filter(({ status, job_id }) => status === 'failed' && job_id === failures[0]!.job_id);
  assert.ok(told?.type === 'training_progress' && told.error === failures[0]!.error);
});

test('a folder that is in use, not empty, a file, or not writable is refused before anything starts', async () => {
  const { base, jobs, events } = manager();
  const used = path.join(base, 'used');
  mkdirSync(used);
  writeFileSync(path.join(used, 'thesis.txt'), 'mine');
  await refuses(jobs.start(smallRun, { runDir: used }), 'output_unusable');
  await refuses(jobs.start(smallRun, { runDir: path.join(used, 'thesis.txt') }), 'output_unusable');
  await refuses(jobs.start(smallRun, { runDir: path.join(used, 'thesis.txt', 'below') }), 'output_unusable');
  if (process.platform === 'linux') await refuses(jobs.start(smallRun, { runDir: '/proc/iw' }), 'output_unusable');
  const lock = await RunLock.acquire(used);
  await refuses(jobs.start(smallRun, { runDir: used }), 'run_in_use');
  lock.release();
  assert.deepEqual(readdirSync(used), ['thesis.txt']);
  await refuses(jobs.start({ ...smallRun, k: 65 }), 'config_invalid');
  await refuses(jobs.start({}, { runDir: used, resume: true }), 'run_unreadable');
  assert.deepEqual(readdirSync(base), ['used']);
  assert.deepEqual(events, []);
  assert.deepEqual(jobs.list(), []);
});

test('a cancelled job keeps its checkpoint and goes on from it under the same id', async () => {
  const { jobs, events } = manager();
  const first = await jobs.start(longRun);
  await trains(jobs, first);
  const end = await jobs.cancel(first.id);
  assert.ok(end.status === 'cancelled' && end.checkpoint !== null && existsSync(end.checkpoint));
  assert.equal((await readRun(first.runDir)).status, 'cancelled');
  assert.equal(await RunLock.owner(first.runDir), null);
  const second = await jobs.resume(first.id);
  assert.equal(second.id, first.id);
  assert.equal(jobs.get(first.id), second);
  await trains(jobs, second);
  assert.equal((await jobs.cancel(second.id)).status, 'cancelled');
  checkStream(events);
  assert.deepEqual(new Set(events.map(({ attempt }) => attempt)), new Set([1, 2]));
  const steps = events.filter((event) => event.type === 'training_progress' && event.attempt === 2 && event.step > 0);
  assert.ok(steps.length > 0);
  assert.ok(second.record.elapsed_time >= first.record.elapsed_time);
  assert.equal(second.record.created_at, first.record.created_at);
});

test('resuming with another model is refused and leaves the run as it was', async () => {
  const { jobs } = manager();
  const job = await jobs.start(longRun);
  await trains(jobs, job);
  await jobs.cancel(job.id);
  const before = readFileSync(jobPath(job.runDir), 'utf8');
  const again = await jobs.start({ model: 'bundled:demo-gpt2' }, { runDir: job.runDir, resume: true });
  const end = await again.ended;
  assert.ok(end.status === 'failed' && end.problem.code === 'resume_mismatch' && end.problem.input);
  assert.equal(readFileSync(jobPath(job.runDir), 'utf8'), before);
  assert.notEqual((await readRun(job.runDir)).checkpoint, null);
});

test('an engine that is killed fails its job with a reason, and the run can go on', async () => {
  const { jobs, events } = manager();
  const job = await jobs.start({ ...longRun, checkpoint_seconds: 0 });
  await trains(jobs, job);
  const { pid } = (await RunLock.owner(job.runDir))!;
  process.kill(pid, 'SIGKILL');
  const end = await job.ended;
  assert.ok(end.status === 'failed' && !end.problem.input && end.problem.hint !== '');
  const record = await readJob(job.runDir);
  assert.equal(record.status, 'failed');
  assert.equal(record.error?.message, end.problem.message);
  const again = await jobs.resume(job.id);
  await trains(jobs, again);
  assert.equal(again.record.error, undefined);
  await jobs.cancel(job.id);
  checkStream(events);
});

test('a paused job stands still, its clock too, and goes on', async () => {
  const { jobs, events } = manager();
  const job = await jobs.start(longRun);
  await trains(jobs, job);
  await jobs.pause(job.id);
  assert.equal(job.progress.status, 'paused');
  const { seq, elapsed_time } = job.progress;
  assert.equal((await readRun(job.runDir)).status === 'interrupted', false);
  const goesOn = eventOf(jobs, job.id, ({ status }) => status === 'training');
  await jobs.resume(job.id);
  const next = await goesOn;
  assert.equal(next.seq, seq + 1);
  assert.ok(next.elapsed_time - elapsed_time < 0.5);
  await jobs.cancel(job.id);
  await refuses(jobs.pause(job.id), 'wrong_state');
  checkStream(events);
});

test('jobs wait their turn, a waiting one can be cancelled, and a full queue says so', async () => {
  const { jobs, events } = manager({ queueLimit: 2 });
  const running = await jobs.start(longRun);
  const cancelled = await jobs.start(smallRun);
  const waiting = await jobs.start(smallRun);
  await refuses(jobs.start(smallRun), 'queue_full');
  await refuses(jobs.pause(waiting.id), 'wrong_state');
  assert.deepEqual(
    jobs.list().map(({ record }) => record.status),
    ['queued', 'queued', running.record.status],
  );
  assert.equal((await jobs.cancel(cancelled.id)).status, 'cancelled');
  assert.equal((await readJob(cancelled.runDir)).status, 'cancelled');
  await trains(jobs, running);
  assert.equal(waiting.state, 'waiting');
  assert.equal(waiting.record.started_at, null);
  const starts = eventOf(jobs, waiting.id, ({ status }) => status === 'starting');
  await jobs.cancel(running.id);
  assert.ok((await starts).elapsed_time < 1);
  assert.equal((await waiting.ended).status, 'completed');
  for (const job of [running, cancelled, waiting]) checkStream(events.filter(({ job_id }) => job_id === job.id));
  await refuses(jobs.cancel('none'), 'job_not_found');
});

test('of the jobs that have ended the last hundred are known, and of one that goes on no attempt counts twice', async () => {
  const { jobs } = manager({ concurrency: 0 });
  const waiting = await jobs.start(smallRun);
  const cancelled = async () => {
    const job = await jobs.start(smallRun);
    await jobs.cancel(job.id);
    return job;
  };
  const [first, second] = [await cancelled(), await cancelled()];
  for (let i = 2; i < 100; i++) await cancelled();
  const again = await jobs.resume(first.id);
  assert.equal(jobs.list().length, 101);
  await jobs.cancel(again.id);
  assert.equal(jobs.list().length, 101);
  const last = await cancelled();
  assert.equal(jobs.list().length, 101);
  assert.equal(jobs.find(second.id), undefined);
  for (const job of [waiting, again, last]) assert.equal(jobs.find(job.id), job);
  await refuses(jobs.resume(second.id), 'job_not_found');
  const resumed = await jobs.start({}, { runDir: second.runDir, resume: true });
  assert.equal(resumed.record.attempt, 2);
  await jobs.dispose();
});

test('a limit that is raised lets waiting jobs start at once, and one that is lowered stops none', async () => {
  const { jobs } = manager();
  const [first, second, third] = await Promise.all([longRun, longRun, longRun].map((config) => jobs.start(config)));
  assert.deepEqual([first, second, third].map((job) => job!.state).sort(), ['running', 'waiting', 'waiting']);
  jobs.configure({ concurrency: 2 });
  assert.deepEqual([first, second, third].map((job) => job!.state).sort(), ['running', 'running', 'waiting']);
  jobs.configure({ concurrency: 1 });
  const running = [first, second, third].filter((job) => job!.state === 'running');
  assert.equal(running.length, 2);
  await jobs.cancel(running[0]!.id);
  assert.deepEqual([first, second, third].map((job) => job!.state).sort(), ['over', 'running', 'waiting']);
  await jobs.dispose();
});

test('the memory limit holds for every job that starts from then on', async () => {
  const { jobs } = manager();
  const running = await jobs.start(longRun);
  const waiting = await jobs.start(smallRun);
  jobs.configure({ memoryLimitBytes: 1e6 });
  await trains(jobs, running);
  await jobs.cancel(running.id);
  const refused = await waiting.ended;
  assert.ok(refused.status === 'failed' && refused.problem.code === 'too_large', JSON.stringify(refused));
  jobs.configure({ memoryLimitBytes: 0 });
  assert.equal((await (await jobs.start(smallRun)).ended).status, 'completed');
});

test('a run goes where it is told to, else where its configuration says, else where runs go', async () => {
  const { base, runsFolder, jobs } = manager();
  const elsewhere = path.join(base, 'elsewhere');
  const [usual, other, named] = [
    await jobs.start(smallRun),
    await jobs.start(smallRun, { runsFolder: elsewhere }),
    await jobs.start({ ...smallRun, output_dir: path.join(base, 'named') }, { runsFolder: elsewhere }),
  ];
  assert.equal(usual.runDir, path.join(runsFolder, usual.id));
  assert.equal(other.runDir, path.join(elsewhere, other.id));
  assert.equal(named.runDir, path.join(base, 'named'));
  assert.equal(readFileSync(path.join(elsewhere, '.gitignore'), 'utf8'), '*\n');
  await jobs.dispose();
});

test('closing the workbench interrupts its jobs with a checkpoint, and another one goes on with them', async () => {
  const { jobs, events } = manager();
  const job = await jobs.start(longRun);
  const waiting = await jobs.start(longRun);
  await trains(jobs, job);
  await jobs.dispose();
  const run = await readRun(job.runDir);
  assert.equal(run.status, 'interrupted');
  assert.notEqual(run.checkpoint, null);
  assert.equal((await readRun(waiting.runDir)).status, 'interrupted');
  assert.equal(
    events.some((event) => isTerminal(event.status)),
    false,
  );
  await assert.rejects(jobs.start(smallRun), { name: 'WorkbenchError', message: /is closing/ });

  const next = manager();
  const again = await next.jobs.start({}, { runDir: job.runDir, resume: true });
  assert.equal(again.id, job.id);
  assert.equal(again.record.attempt, 2);
  await trains(next.jobs, again);
  await next.jobs.dispose();
  assert.equal(next.events[0]!.seq, events.filter(({ job_id }) => job_id === job.id).at(-1)!.seq + 1);
});

test('a run whose workbench was killed counts as interrupted, and its next events have higher numbers', async () => {
  const { jobs } = manager();
  const job = await jobs.start(smallRun);
  await job.ended;
  const dead = { ...(await readJob(job.runDir)), status: 'training', completed_at: null } as const;
  await writeJob(job.runDir, dead);
  assert.equal((await readRun(job.runDir)).status, 'interrupted');
  const next = manager();
  const again = await next.jobs.start({}, { runDir: job.runDir, resume: true });
  await again.ended;
  assert.ok(next.events[0]!.seq > dead.seq + 1);
});
