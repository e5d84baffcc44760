import { newestCheckpoint } from '../run/layout.js';
import type { RunLock } from '../run/lock.js';
import type { JobRecord } from '../run/records.js';
import { inputError, toProblem, type Problem } from '../shared/errors.js';
import type { JobEvent, TrainingProgress } from '../shared/events.js';
import type { Log } from '../shared/logs.js';
import type { TrainResult } from '../shared/messages.js';
import { runTask, type EngineOptions, type RunningTask } from './engine-process.js';
import { JobJournal } from './job-journal.js';

/** How an attempt ended. `interrupted`: the workbench was closed; the run can be resumed like a cancelled one. */
export type JobEnd =
  | { status: 'completed'; outputDir: string; result: TrainResult }
  | { status: 'failed'; outputDir: string; problem: Problem }
  | { status: 'cancelled' | 'interrupted'; outputDir: string; checkpoint: string | null };

export interface JobOptions extends EngineOptions {
  log: Log;
  publish: (event: JobEvent) => void;
  /** Of the run folder, for as long as the job waits; then the engine takes it. */
  lock: RunLock;
  /** Leaves the run folder as it was before this attempt: called if the input turns out to be unusable. */
  undo: () => Promise<void>;
}

/** One attempt at a training job: its engine and what is decided when that ends. */
export class Job {
  readonly id: string;
  readonly runDir: string;
  /** Resolves when the attempt has ended, is recorded and its last event was sent. Never rejects. */
  readonly ended: Promise<JobEnd>;
  readonly #resume: boolean;
  readonly #options: JobOptions;
  readonly #journal: JobJournal;
  #settle: (end: JobEnd) => void = () => undefined;
  #engine: RunningTask<'train'> | undefined;
  #responding = true;
  #closing = false;
  #over = false;

  /** `record.output_dir` is a claimed folder; with `resume` the engine goes on from its newest checkpoint. */
  constructor(record: JobRecord, resume: boolean, options: JobOptions) {
    this.id = record.job_id;
    this.runDir = record.output_dir;
    this.#resume = resume;
    this.#options = options;
    this.ended = new Promise((settle) => (this.#settle = settle));
    this.#journal = new JobJournal(record, options.log, options.publish);
  }

  /** Tells that the job is in the queue. */
  queue(): void {
    this.#journal.queued();
  }

  /** What `job.json` says, or will within 2 s. */
  get record(): JobRecord {
    return this.#journal.record;
  }

  /** The newest `training_progress`: what a client that connects late is sent first. */
  get progress(): TrainingProgress {
    return this.#journal.newest;
  }

  /** False while nothing is heard of the engine. */
  get responding(): boolean {
    return this.#responding;
  }

  /** `over` as soon as the engine is gone; what is then still to be written and sent is awaited by `ended`. */
  get state(): 'waiting' | 'running' | 'over' {
    if (this.#over) return 'over';
    return this.#engine === undefined ? 'waiting' : 'running';
  }

  /** Leaves the queue. `memoryLimitBytes`: a run that needs more is refused; 0 leaves it to the machine. */
  async run(memoryLimitBytes = 0): Promise<void> {
    const { log, lock } = this.#options;
    if (lock.lost) {
      const sentence = `${this.runDir} was taken over by another process while this one slept.`;
      await this.#fail(toProblem(inputError('run_in_use', sentence, 'Look at the run there, or start a new one.')));
      return;
    }
    this.#journal.start();
    const { config } = this.record;
    const limit = memoryLimitBytes > 0 ? { memoryLimitBytes } : {};
    lock.release();
    this.#engine = runTask(
      { kind: 'train', config, runDir: this.runDir, resume: this.#resume, ...limit },
      {
        log,
        progress: (progress) => {
          this.#journal.advance(progress);
        },
        paused: () => {
          this.#journal.paused();
        },
        resumed: () => {
          this.#journal.resumed();
        },
        responding: (responding) => {
          this.#responding = responding;
          const state = responding ? 'responding again' : 'not responding';
          log('engine', 'WARNING', `The engine of job ${this.id} is ${state}.`);
        },
      },
      this.#options,
    );
    try {
      const outcome = await this.#engine.result;
      if (outcome.status === 'completed') await this.#complete(outcome.result);
      else await this.#stop(outcome.checkpoint);
    } catch (error) {
      await this.#fail(toProblem(error));
    }
  }

  async pause(): Promise<void> {
    await this.#engine?.pause();
  }

  async resume(): Promise<void> {
    await this.#engine?.resume();
  }

  /** Stops with a checkpoint; resolves when the job has really ended, which may be otherwise than by being cancelled. */
  async cancel(): Promise<JobEnd> {
    if (this.state === 'running') this.#engine?.cancel();
    else if (this.state === 'waiting') await this.#stop(null);
    return this.ended;
  }

  /** The same, but it is the workbench that closes, not a person who cancels: the job ends as `interrupted`. */
  async interrupt(): Promise<JobEnd> {
    this.#closing = true;
    return this.cancel();
  }

  /** Ends the engine at once, without a checkpoint. */
  kill(): void {
    this.#engine?.kill();
  }

  async #complete(result: TrainResult): Promise<void> {
    this.#over = true;
    await this.#journal.complete(result);
    this.#options.log('training', 'INFO', `Job ${this.id} is complete: ${result.weightsPath}`);
    this.#settle({ status: 'completed', outputDir: this.runDir, result });
  }

  async #stop(reported: string | null): Promise<void> {
    this.#over = true;
    const checkpoint = reported ?? (await newestCheckpoint(this.runDir));
    const status = this.#closing ? 'interrupted' : 'cancelled';
    if (status === 'interrupted') await this.#journal.interrupted();
    else await this.#journal.cancelled(checkpoint);
    this.#options.log('training', 'INFO', `Job ${this.id} is ${status}, ${checkpoint ?? 'without a checkpoint'}.`);
    this.#options.lock.release();
    this.#settle({ status, outputDir: this.runDir, checkpoint });
  }

  async #fail(problem: Problem): Promise<void> {
    this.#over = true;
    await this.#journal.failed(problem, this.#cleaning(problem));
    this.#options.log('training', 'ERROR', `Job ${this.id} failed (${problem.code}): ${problem.message}`);
    this.#settle({ status: 'failed', outputDir: this.runDir, problem });
  }

  /** What happens to the run folder instead of recording the failure there. */
  #cleaning(problem: Problem): (() => Promise<void>) | undefined {
    // The folder is another process's: nothing of ours belongs in it, and nothing of its is ours to remove.
    if (problem.code === 'run_in_use') return () => Promise.resolve();
    // What was trained is kept whatever the problem; before that there is nothing worth a folder.
    return problem.input && this.#journal.step === 0 ? this.#options.undo : undefined;
  }
}
