import { existsSync } from 'node:fs';
import { jobPath } from '../run/layout.js';
import { toProblem } from '../shared/errors.js';
import type { TrainingProgress } from '../shared/events.js';
import type { Log } from '../shared/logs.js';
import { isActive, possibleActions, type RunState } from '../shared/panel.js';
import type { Series } from '../shared/series.js';
import { FolderWatch } from './folder-watch.js';
import type { Job, JobManager } from './jobs.js';
import { deleteRun, type Remove } from './run-files.js';
import { RunFolders } from './run-folders.js';
import { differs, stateOfJob, stateOfUntold, tellsOf } from './run-state.js';
import { SeriesFollower } from './series-follower.js';

export type BoardChange =
  /** A run is new, or changed in more than the numbers of its progress. */
  { type: 'run'; run: RunState } | { type: 'progress'; event: TrainingProgress } | { type: 'removed'; id: string };

export interface RunBoardOptions {
  jobs: JobManager;
  /** The runs folders looked into; asked again at every refresh. */
  folders: () => readonly string[];
  /** Run folders that lie elsewhere; asked likewise. */
  alone?: () => readonly string[];
  log: Log;
}

/** Between looks into the runs folders while others train there, and while there are only runs that others may resume. */
const movingMs = 2000;
const restingMs = 10_000;

/** Every run that front ends show: the jobs of this process and what lies in the runs folders. */
export class RunBoard {
  readonly #options: RunBoardOptions;
  readonly #folders: RunFolders;
  readonly #watch = new FolderWatch(() => void this.refresh());
  readonly #runs = new Map<string, RunState>();
  /** Jobs of this process that have ended and whose end is on the board: from then on their folders tell of them. */
  readonly #settled = new WeakSet<Job>();
  /** Run folders of jobs of this process that have ended: they may lie outside the runs folders. */
  readonly #left = new Set<string>();
  readonly #listeners = new Set<(change: BoardChange) => void>();
  readonly #followers = new Set<SeriesFollower>();
  readonly #unsubscribe: () => void;
  #looking: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(options: RunBoardOptions) {
    this.#options = options;
    this.#folders = new RunFolders(options.log);
    this.#unsubscribe = options.jobs.subscribe((event, job) => {
      if (event.type === 'training_progress') this.#hear(job);
    });
    for (const job of options.jobs.list()) this.#hear(job);
  }

  /** Newest first. */
  list(): RunState[] {
    return [...this.#runs.values()].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  }

  get(id: string): RunState | undefined {
    return this.#runs.get(id);
  }

  /** Looks into the runs folders again. Never rejects: what cannot be read is logged. */
  refresh(): Promise<void> {
    // One look at a time; whoever asks during one gets one that begins after it.
    this.#waiting ??= this.#looking.then(() => {
      this.#waiting = undefined;
      this.#looking = this.#look();
      return this.#looking;
    });
    return this.#waiting;
  }

  /** Tells of every change, in order. Returns what ends that. */
  subscribe(listener: (change: BoardChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Follows a run's `metrics.jsonl`: calls the listener with the whole series first (`start` 0), then with points from
   * `start` on whenever there are more. A run that is not on the board yet is followed once it is. Returns what ends that.
   */
  follow(id: string, listener: (start: number, series: Series) => void): () => void {
    let follower: SeriesFollower | undefined;
    const nudge = () => {
      const dir = this.#runs.get(id)?.dir;
      if (dir === undefined) return;
      follower ??= this.#follower(dir, listener);
      follower.nudge();
    };
    const unsubscribe = this.subscribe((change) => {
      if (idOf(change) === id) nudge();
    });
    nudge();
    return () => {
      unsubscribe();
      follower?.stop();
      if (follower) this.#followers.delete(follower);
    };
  }

  /**
   * Deletes a run's folder (by `remove`, else for good) and takes the run off the board.
   * @throws WorkbenchError what `deleteRun` throws; the run is then still there.
   */
  async delete(id: string, remove?: Remove): Promise<void> {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    if (run.saved !== false) await deleteRun(run.dir, remove);
    this.#remove(id);
    await this.refresh();
  }

  dispose(): void {
    this.#disposed = true;
    this.#unsubscribe();
    this.#listeners.clear();
    this.#watch.dispose();
    clearTimeout(this.#timer);
    for (const follower of this.#followers) follower.stop();
  }

  /** A job of this process has moved. */
  #hear(job: Job): void {
    if (!isActive(job)) {
      void this.#settle(job);
      return;
    }
    const before = this.#runs.get(job.id);
    const now = stateOfJob(job, before);
    this.#put(now);
    if (now.progress.status === 'training' && before?.progress.status !== 'training') void this.#complete(job);
  }

  /** A job trains: by now its folder has the complete configuration. */
  async #complete(job: Job): Promise<void> {
    const folder = await this.#folders.read(job.runDir);
    const now = this.#runs.get(job.id);
    if (folder === null || now === undefined || !this.#isNewest(job) || !isActive(now)) return;
    const { name, config, checkpoint } = folder;
    this.#put({ ...now, name, config, checkpoint });
  }

  /** A job has ended: its folder tells the rest, and is read before anybody is told. */
  async #settle(job: Job): Promise<void> {
    this.#left.add(job.runDir);
    const folder = await this.#folders.read(job.runDir);
    if (!this.#isNewest(job)) return;
    this.#settled.add(job);
    this.#put(folder !== null && tellsOf(folder, job) ? folder : stateOfUntold(job, folder ?? undefined));
    // From now on others may resume it.
    void this.refresh();
  }

  async #look(): Promise<void> {
    const { jobs, folders, alone = () => [], log } = this.#options;
    clearTimeout(this.#timer);
    if (this.#disposed) return;
    try {
      const bases = folders();
      const own = jobs.list();
      const ended = new Set(own.filter((job) => this.#settled.has(job)));
      const live = own.filter((job) => !ended.has(job)).map(({ runDir }) => runDir);
      // Watched first, so that nothing that comes during the look is missed.
      await this.#watch.watch(bases);
      const left = [...this.#left].filter((dir) => !live.includes(dir));
      const { runs, moving } = await this.#folders.look(bases, [...left, ...alone()], new Set(live));
      for (const dir of left) if (!existsSync(jobPath(dir))) this.#left.delete(dir);
      this.#take(runs, ended);
      if (moving) this.#lookAgain(movingMs);
      else if (runs.some((run) => possibleActions(run).includes('resume'))) this.#lookAgain(restingMs);
    } catch (error) {
      log('extension', 'ERROR', `The runs folders cannot be looked into: ${toProblem(error).message}`);
    }
  }

  #lookAgain(ms: number): void {
    if (!this.#disposed) this.#timer = setTimeout(() => void this.refresh(), ms).unref();
  }

  /** Takes in what a look found. `ended`: the jobs of this process whose folders it looked into. */
  #take(found: readonly RunState[], ended: ReadonlySet<Job>): void {
    for (const state of found) {
      const job = this.#options.jobs.find(state.id);
      // Of a job of this process the folder may have been read before its end.
      if (job === undefined || (this.#settled.has(job) && tellsOf(state, job))) this.#put(state);
    }
    const there = new Set(found.map(({ id }) => id));
    for (const { id, saved } of this.list()) {
      const job = this.#options.jobs.find(id);
      const kept = job !== undefined && (!ended.has(job) || saved === false);
      if (!there.has(id) && !kept) this.#remove(id);
    }
  }

  #put(now: RunState): void {
    const before = this.#runs.get(now.id);
    if (before === undefined || differs(before, now)) {
      this.#runs.set(now.id, now);
      this.#tell({ type: 'run', run: now });
    } else if (before.progress.seq !== now.progress.seq) {
      this.#runs.set(now.id, now);
      this.#tell({ type: 'progress', event: now.progress });
    }
  }

  #remove(id: string): void {
    if (this.#runs.delete(id)) this.#tell({ type: 'removed', id });
  }

  #tell(change: BoardChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#complain(`A front end failed at ${idOf(change)}`, error);
      }
    }
  }

  #follower(dir: string, listener: (start: number, series: Series) => void): SeriesFollower {
    const follower = new SeriesFollower(
      dir,
      ({ start, series }) => {
        listener(start, series);
      },
      (error) => {
        this.#complain(`The metrics of ${dir} cannot be shown`, error);
      },
    );
    this.#followers.add(follower);
    return follower;
  }

  #complain(what: string, error: unknown): void {
    const stack = error instanceof Error ? error.stack : undefined;
    this.#options.log('extension', 'ERROR', `${what}: ${toProblem(error).message}`, stack);
  }

  /** Whether no later attempt at it has begun. */
  #isNewest(job: Job): boolean {
    const newest = this.#options.jobs.find(job.id) ?? job;
    return !this.#disposed && newest === job;
  }
}

function idOf(change: BoardChange): string {
  if (change.type === 'run') return change.run.id;
  return change.type === 'progress' ? change.event.job_id : change.id;
}
