import type { JobEvent, TrainingProgress } from '../../shared/events.js';
import type { JobManager } from '../jobs.js';
import type { RunBoard } from '../run-board.js';

/** An event on its way to clients: turned into bytes for the first of them, and for all. */
export class FeedEvent {
  readonly jobId: string;
  /** Whether a newer one of the same job may take its place. */
  readonly replaceable: boolean;
  readonly #event: JobEvent;
  #bytes: Buffer | undefined;

  constructor(event: JobEvent) {
    this.jobId = event.job_id;
    this.replaceable = event.type === 'training_progress';
    this.#event = event;
  }

  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(JSON.stringify(this.#event));
    return this.#bytes;
  }
}

/** All that happens to jobs, as events of the wire contract: this process's, and the progress of runs trained elsewhere. */
export class EventFeed {
  readonly #jobs: JobManager;
  readonly #board: RunBoard;
  readonly #listeners = new Set<(event: FeedEvent) => void>();
  readonly #ends: (() => void)[];
  /** How far clients have been told of each run. */
  readonly #told = new Map<string, Told>();

  constructor(jobs: JobManager, board: RunBoard) {
    this.#jobs = jobs;
    this.#board = board;
    for (const { progress } of board.list()) this.#told.set(progress.job_id, progress);
    this.#ends = [
      jobs.subscribe((event) => {
        this.publish(event);
      }),
      board.subscribe((change) => {
        if (change.type === 'removed') this.#told.delete(change.id);
        else this.#hear(change.type === 'run' ? change.run.progress : change.event);
      }),
    ];
  }

  /**
   * The newest progress of every run, the run made last at the end. Whoever subscribes in the same turn misses nothing after
   * it and hears nothing from before it.
   */
  newest(): FeedEvent[] {
    return this.#board
      .list()
      .reverse()
      .map(({ id, progress }) => {
        const own = this.#jobs.find(id)?.progress;
        return new FeedEvent(own !== undefined && this.#isOwn(progress) ? own : progress);
      });
  }

  subscribe(listener: (event: FeedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(event: JobEvent): void {
    const { job_id, attempt, seq, status } = event;
    this.#told.set(job_id, { attempt, seq, status });
    const shared = new FeedEvent(event);
    for (const listener of this.#listeners) listener(shared);
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#listeners.clear();
  }

  /** The board shows a run anew: others train it, or it was interrupted, evaluated and so on. */
  #hear(progress: TrainingProgress): void {
    const told = this.#told.get(progress.job_id);
    // An interruption that nobody was there to record has no number of its own.
    const isNews =
      told === undefined || !isUpTo(progress, told) || (progress.seq === told.seq && progress.status !== told.status);
    if (isNews && !this.#isOwn(progress)) this.publish(progress);
  }

  /** Whether it is of a job of this process, which tells of it itself, and not of what others made of the run since. */
  #isOwn(progress: TrainingProgress): boolean {
    const record = this.#jobs.find(progress.job_id)?.record;
    return record !== undefined && isUpTo(progress, record);
  }
}

type Told = Pick<JobEvent, 'attempt' | 'seq' | 'status'>;
type Place = Pick<JobEvent, 'attempt' | 'seq'>;

/** Whether a place in the story of a run is not after the other one. */
function isUpTo(place: Place, other: Place): boolean {
  return place.attempt < other.attempt || (place.attempt === other.attempt && place.seq <= other.seq);
}
