import path from 'node:path';
import { sweepTemporaries } from '../run/atomic.js';
import { RunLock } from '../run/lock.js';
import { readJob, readRun, writeJob, type JobRecord } from '../run/records.js';
import type { SaeConfig } from '../shared/config.js';
import { inputError, toProblem } from '../shared/errors.js';
import { emptyMetrics, isTerminal, type JobEvent } from '../shared/events.js';
import type { Log } from '../shared/logs.js';
import { absolutePaths, mergeConfig } from './config-file.js';
import type { EngineOptions } from './engine-process.js';
import { Job, type JobEnd } from './job.js';
import { noProgress } from './job-journal.js';
import { claimRunDir, defaultRunsFolder, newJobId } from './runs.js';

export { Job, type JobEnd } from './job.js';

/** What can be changed while jobs run. */
export interface JobLimits {
  /** Jobs trained at the same time. */
  concurrency?: number;
  /** A job that needs more memory than this, in bytes, is refused; 0: the memory of the machine decides. */
  memoryLimitBytes?: number;
}

export interface JobManagerOptions extends EngineOptions, JobLimits {
  log: Log;
  /** Most jobs waiting. */
  queueLimit?: number;
  /** Most jobs that have ended and are still known; those that ended first are forgotten first. Their folders stay. */
  endedLimit?: number;
  /** Where runs go that name no folder. */
  runsFolder?: string;
}

export interface StartOptions {
  /** The run folder; else the configuration's `output_dir`, else a new one in the runs folder. */
  runDir?: string;
  /** Continue the run in `runDir`, under its job id, with `config` laid over its configuration. */
  resume?: boolean;
  /** Where this run goes if it names no folder, instead of where the others go. */
  runsFolder?: string;
}

export type JobListener = (event: JobEvent, job: Job) => void;

/** More events than a workbench can have sent since its last `job.json` when it was killed. */
const unrecordedEvents = 1000;

/** The training jobs of this process: queue, engines and events. */
export class JobManager {
  #options: JobManagerOptions & { concurrency: number; queueLimit: number; endedLimit: number };
  readonly #jobs = new Map<string, Job>();
  /** Those of them that have ended, in the order in which they did. */
  readonly #ended = new Set<Job>();
  readonly #listeners = new Set<JobListener>();
  /** Calls of `start` that are not in the queue yet. */
  #starting = 0;
  #disposed = false;

  constructor(options: JobManagerOptions) {
    this.#options = { concurrency: 1, queueLimit: 16, endedLimit: 100, ...options };
  }

  /** Changes limits: a waiting job that may now start does so at once; a running one is left alone. */
  configure(limits: JobLimits): void {
    this.#options = { ...this.#options, ...limits };
    this.#startWaiting();
  }

  /**
   * Starts a job, or queues it. Relative paths count from the current folder.
   * @throws WorkbenchError `config_invalid`, `output_unusable`, `disk_full`, `run_in_use`, `run_unreadable`,
   * `wrong_state` (the run is complete, or the manager is disposed of), `queue_full`; nothing is then left behind.
   */
  async start(config: SaeConfig, options: StartOptions = {}): Promise<Job> {
    if (this.#disposed) {
      throw inputError('wrong_state', 'This workbench is closing and starts no jobs.', 'Start it in another one.');
    }
    // Those that are just being started have their places already.
    if (this.#waiting().length + this.#starting >= this.#options.queueLimit + this.#free()) {
      const sentence = `${this.#options.queueLimit} jobs are waiting already.`;
      throw inputError('queue_full', sentence, 'Wait until one has finished, or cancel one.');
    }
    this.#starting++;
    try {
      return await this.#start(config, options);
    } finally {
      this.#starting--;
    }
  }

  async #start(config: SaeConfig, options: StartOptions): Promise<Job> {
    const given = absolutePaths(mergeConfig({}, config), process.cwd());
    const dir = options.runDir === undefined ? given.output_dir : path.resolve(options.runDir);
    if (!options.resume) return this.#startNew(given, dir, options.runsFolder);
    if (dir === undefined) throw inputError('run_unreadable', 'No run to resume was named.', 'Give the run folder.');
    return this.#startAgain(given, dir);
  }

  /** The jobs of this process, newest first: all that wait or run, and those that ended last. */
  list(): Job[] {
    return [...this.#jobs.values()].sort((a, b) => b.record.created_at.localeCompare(a.record.created_at));
  }

  /** The newest attempt at a job of this process. */
  find(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** @throws WorkbenchError `job_not_found`. */
  get(id: string): Job {
    const job = this.find(id);
    if (job === undefined)
      throw inputError('job_not_found', `There is no job ${id}.`, 'List the jobs to see their ids.');
    return job;
  }

  /** Calls the listener with every event of every job, in order. Returns what ends that. */
  subscribe(listener: JobListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when training stands still. @throws WorkbenchError `job_not_found`, `wrong_state`. */
  async pause(id: string): Promise<Job> {
    const job = this.get(id);
    if (job.state !== 'running') throw wrongState(job, 'paused');
    await job.pause();
    return job;
  }

  /** Goes on with a paused job, or starts the next attempt at one that failed or was cancelled. */
  async resume(id: string): Promise<Job> {
    const job = this.get(id);
    if (job.state === 'over') return this.start({}, { runDir: job.runDir, resume: true });
    if (job.record.status !== 'paused') throw wrongState(job, 'resumed');
    await job.resume();
    return job;
  }

  /** Stops a job with a checkpoint; resolves when its engine is gone. @throws WorkbenchError `job_not_found`, `wrong_state`. */
  async cancel(id: string): Promise<JobEnd> {
    const job = this.get(id);
    if (job.state === 'over') throw wrongState(job, 'cancelled');
    return job.cancel();
  }

  /** Ends a job's engine at once, without a checkpoint. @throws WorkbenchError `job_not_found`. */
  kill(id: string): void {
    this.get(id).kill();
  }

  /** Stops every job with a checkpoint, to be resumed another time, and starts none any more. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await Promise.all(this.list().map((job) => (job.state === 'over' ? job.ended : job.interrupt())));
  }

  async #startNew(config: SaeConfig, dir: string | undefined, runsFolder = this.#options.runsFolder): Promise<Job> {
    const id = newJobId();
    const base = dir === undefined ? path.resolve(runsFolder ?? defaultRunsFolder()) : undefined;
    const record: JobRecord = {
      job_id: id,
      // With a limit of tokens it is the text that decides how many epochs there are.
      ...noProgress(config.max_tokens === undefined ? (config.max_epochs ?? 0) : 0, emptyMetrics),
      attempt: 1,
      seq: 0,
      created_at: new Date().toISOString(),
      started_at: null,
      completed_at: null,
      elapsed_time: 0,
      output_dir: dir ?? path.join(base!, id),
      config,
    };
    const unclaim = await claimRunDir(record.output_dir, record, base);
    const lock = await RunLock.acquire(record.output_dir).catch(async (error: unknown) => {
      // A folder that another process has taken is not ours to remove.
      if (toProblem(error).code !== 'run_in_use') await unclaim();
      throw error;
    });
    return this.#enqueue(record, false, lock, unclaim);
  }

  async #startAgain(changes: SaeConfig, dir: string): Promise<Job> {
    const known = this.list().find((job) => job.runDir === dir);
    if (known?.state === 'over') await known.ended;
    // Before anything is written there: whether it is a run at all.
    this.#requireOver(await readJob(dir), dir);
    const lock = await RunLock.acquire(dir).catch(async (error: unknown) => {
      // Where the run has just been deleted, this tells so.
      await readJob(dir);
      throw error;
    });
    try {
      const { job: before, config } = await readRun(dir);
      this.#requireOver(before, dir);
      await sweepTemporaries(dir);
      const recorded = isTerminal(before.status) || before.status === 'interrupted';
      const record: JobRecord = {
        ...before,
        error: undefined,
        ...noProgress(before.total_epochs, before.metrics),
        attempt: before.attempt + 1,
        seq: before.seq + (recorded ? 0 : unrecordedEvents),
        completed_at: null,
        output_dir: dir,
        config: mergeConfig(config, changes),
      };
      return this.#enqueue(record, true, lock, () => writeJob(dir, before));
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** @throws WorkbenchError `wrong_state` for a run that is complete, or that a job of this process is working at. */
  #requireOver({ status }: JobRecord, dir: string): void {
    const active = this.list().find((job) => job.runDir === dir && job.state !== 'over');
    if (active !== undefined) throw wrongState(active, 'resumed');
    if (status !== 'completed') return;
    const sentence = `The run in ${dir} is ${status} and cannot be resumed.`;
    throw inputError('wrong_state', sentence, 'Start a new run instead.', 'output_dir');
  }

  #enqueue(record: JobRecord, resume: boolean, lock: RunLock, undo: () => Promise<void>): Job {
    const publish = (event: JobEvent) => {
      for (const listener of this.#listeners) this.#tell(listener, event, job);
    };
    const job = new Job(record, resume, { ...this.#options, lock, publish, undo });
    const before = this.#jobs.get(job.id);
    if (before !== undefined) this.#ended.delete(before);
    this.#jobs.set(job.id, job);
    job.queue();
    void job.ended.then(() => {
      this.#retire(job);
      this.#startWaiting();
    });
    if (this.#disposed) void job.interrupt();
    else this.#startWaiting();
    return job;
  }

  /** A job has ended: it may be one too many to be kept. */
  #retire(job: Job): void {
    if (this.find(job.id) === job) this.#ended.add(job);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= this.#options.endedLimit) return;
      this.#ended.delete(oldest);
      this.#jobs.delete(oldest.id);
    }
  }

  #tell(listener: JobListener, event: JobEvent, job: Job): void {
    try {
      listener(event, job);
    } catch (error) {
      const stack = error instanceof Error ? error.stack : undefined;
      this.#options.log('engine', 'ERROR', `A listener failed at ${event.type}: ${toProblem(error).message}`, stack);
    }
  }

  #waiting(): Job[] {
    return [...this.#jobs.values()].filter((job) => job.state === 'waiting');
  }

  /** Jobs that may start beside those that run. */
  #free(): number {
    const running = [...this.#jobs.values()].filter((job) => job.state === 'running').length;
    return this.#disposed ? 0 : Math.max(0, this.#options.concurrency - running);
  }

  #startWaiting(): void {
    for (const job of this.#waiting().slice(0, this.#free())) void job.run(this.#options.memoryLimitBytes);
  }
}

function wrongState(job: Job, change: string): Error {
  const sentence = `Job ${job.id} is ${job.record.status} and cannot be ${change}.`;
  return inputError('wrong_state', sentence, 'Look at the state of the job first.');
}
