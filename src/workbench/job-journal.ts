import type { JobRecord } from '../run/records.js';
import { toProblem, type Problem } from '../shared/errors.js';
import {
  isTerminal,
  type EngineProgress,
  type JobEvent,
  type JobStatus,
  type Metrics,
  type TrainingProgress,
} from '../shared/events.js';
import type { Log } from '../shared/logs.js';
import type { TrainResult } from '../shared/messages.js';
import { JobFile } from './job-file.js';
import { ProgressGate } from './progress-gate.js';
import { Stopwatch } from './stopwatch.js';

/** Progress as it is before an engine has said anything. */
export function noProgress(totalEpochs: number, metrics: Metrics): EngineProgress {
  return {
    status: 'queued',
    phase: 'loading_model',
    epoch: 0,
    total_epochs: totalEpochs,
    progress: 0,
    phase_progress: 0,
    metrics,
    estimated_remaining: null,
    step: 0,
    total_steps: 0,
    tokens: 0,
    tokens_per_second: null,
  };
}

/** The most a job shows before every file is on disk. */
const almostDone = 99.9;

/**
 * Keeps the story of one attempt at a job: turns what its engine reports into the events of the wire contract (numbered,
 * timed, never falling, the terminal one last) and keeps `job.json` in step with them.
 */
export class JobJournal {
  readonly #publish: (event: JobEvent) => void;
  readonly #log: Log;
  readonly #file: JobFile;
  readonly #gate: ProgressGate;
  readonly #watch: Stopwatch;
  #record: JobRecord;
  #working: EngineProgress;
  #newest: TrainingProgress;

  constructor(record: JobRecord, log: Log, publish: (event: JobEvent) => void) {
    this.#record = record;
    this.#log = log;
    this.#publish = publish;
    this.#file = new JobFile(record.output_dir, (error) => {
      log('engine', 'WARNING', `job.json of ${record.job_id} could not be written: ${toProblem(error).message}`);
    });
    this.#watch = new Stopwatch(record.elapsed_time);
    this.#gate = new ProgressGate((progress) => {
      this.#tell(progress);
    });
    this.#working = noProgress(record.total_epochs, record.metrics);
    this.#newest = this.#describe(this.#working);
  }

  /** What `job.json` says, or will within 2 s. */
  get record(): JobRecord {
    return this.#record;
  }

  get newest(): TrainingProgress {
    return this.#newest;
  }

  /** The training step reached in this attempt. */
  get step(): number {
    return this.#working.step;
  }

  /** The job is in the queue. */
  queued(): void {
    this.#file.save(this.#record, true);
    this.#publish(this.#newest);
  }

  /** The job leaves the queue. */
  start(): void {
    this.#watch.start();
    this.#record = { ...this.#record, started_at: this.#record.started_at ?? now() };
    this.advance({ ...this.#working, status: 'starting' });
  }

  advance(progress: EngineProgress): void {
    const reached = Math.min(almostDone, Math.max(this.#working.progress, progress.progress));
    // The engine learns the number of epochs only from the text; a number that was asked for is known before.
    const total_epochs = progress.total_epochs || this.#working.total_epochs;
    this.#working = { ...finite(progress), total_epochs, progress: reached, metrics: finite(progress.metrics) };
    this.#gate.push(this.#working);
  }

  paused(): void {
    this.#watch.stop();
    this.#gate.push({ ...this.#working, status: 'paused' });
    this.#gate.stop();
  }

  resumed(): void {
    this.#watch.start();
    this.#gate.push(this.#working);
  }

  /** @throws the file system's error if `job.json` cannot be written: the job has then failed after all. */
  async complete({ weightsPath, metrics: raw }: TrainResult): Promise<void> {
    const metrics = finite(raw);
    const done = { progress: 100, phase_progress: 100, estimated_remaining: 0, metrics };
    await this.#end('completed', done, { model_path: weightsPath }, (record) => this.#file.finish(record));
    const result = { output_dir: this.#record.output_dir, model_path: weightsPath, metrics };
    this.#publish({ type: 'training_completed', ...this.#stamp(), status: 'completed', ...result });
  }

  async cancelled(checkpoint: string | null): Promise<void> {
    await this.#end('cancelled', {}, {}, (record) => this.#save(record));
    const { output_dir } = this.#record;
    this.#publish({ type: 'training_cancelled', ...this.#stamp(), status: 'cancelled', output_dir, checkpoint });
  }

  /** The workbench closes: the job has not ended, but nobody works at it any more. */
  async interrupted(): Promise<void> {
    await this.#end('interrupted', {}, {}, (record) => this.#save(record));
  }

  /** `clean`: what to do with the run folder instead of recording the failure in it. */
  async failed({ code, message, hint, field }: Problem, clean?: () => Promise<void>): Promise<void> {
    const error = { code, message, hint, ...(field === undefined ? {} : { field }) };
    await this.#end('failed', {}, { error }, (record) => (clean ? this.#discard(clean) : this.#save(record)));
    const { phase } = this.#record;
    this.#publish({ type: 'training_failed', ...this.#stamp(), status: 'failed', error: message, code, hint, phase });
  }

  /** The end of the attempt: on disk first, then as the last `training_progress`. */
  async #end(
    status: JobStatus,
    changes: Partial<EngineProgress>,
    extra: Partial<JobRecord>,
    save: (record: JobRecord) => Promise<void>,
  ): Promise<void> {
    this.#gate.flush();
    this.#gate.stop();
    this.#watch.stop();
    const last: EngineProgress = { ...this.#working, estimated_remaining: null, ...changes, status };
    const completed_at = status === 'interrupted' ? null : now();
    const record: JobRecord = { ...this.#record, ...last, ...extra, elapsed_time: this.#watch.seconds, completed_at };
    // What is on disk already counts the events that tell of it.
    await save({ ...record, seq: record.seq + (status === 'interrupted' ? 1 : 2) });
    this.#record = record;
    this.#tell(last);
  }

  #tell(progress: EngineProgress): void {
    const { status, phase } = this.#record;
    this.#newest = this.#describe(progress);
    this.#record = { ...this.#record, ...progress, elapsed_time: this.#newest.elapsed_time };
    const over = isTerminal(progress.status) || progress.status === 'interrupted';
    if (!over) this.#file.save(this.#record, status !== progress.status || phase !== progress.phase);
    this.#publish(this.#newest);
  }

  #describe(progress: EngineProgress): TrainingProgress {
    const { attempt, error } = this.#record;
    const elapsed_time = this.#watch.seconds;
    const failure = error === undefined ? {} : { error: error.message };
    return { type: 'training_progress', ...this.#stamp(), ...progress, attempt, elapsed_time, ...failure };
  }

  /** What every event carries; each call is one event. */
  #stamp(): { job_id: string; seq: number; attempt: number; timestamp: string } {
    const { job_id, attempt, seq } = this.#record;
    this.#record = { ...this.#record, seq: seq + 1 };
    return { job_id, seq: seq + 1, attempt, timestamp: now() };
  }

  async #save(record: JobRecord): Promise<void> {
    try {
      await this.#file.finish(record);
    } catch (error) {
      this.#log('engine', 'ERROR', `The end of job ${record.job_id} is not on disk: ${toProblem(error).message}`);
    }
  }

  async #discard(clean: () => Promise<void>): Promise<void> {
    await this.#file.stop();
    try {
      await clean();
    } catch (error) {
      this.#log('engine', 'WARNING', `${this.#record.output_dir} is not cleaned up: ${toProblem(error).message}`);
    }
  }
}

const now = () => new Date().toISOString();

/** What would be NaN or infinite is null on the wire. */
function finite<T extends object>(values: T): T {
  const entries = Object.entries(values).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === 'number' && !Number.isFinite(value) ? null : value,
  ]);
  return Object.fromEntries(entries) as T;
}
