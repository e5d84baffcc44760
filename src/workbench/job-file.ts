import { writeJob, type JobRecord } from '../run/records.js';

/**
 * Keeps a run folder's `job.json` up to date: at once where it matters, else at most every 2 s, always the newest state,
 * never two writes at a time. A failed write does not stop the job: it is reported, once, and
 * the next one tries again.
 */
export class JobFile {
  readonly #dir: string;
  readonly #onError: (error: unknown) => void;
  #newest: JobRecord | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #lastWrite = -Infinity;
  #failing = false;

  constructor(dir: string, onError: (error: unknown) => void) {
    this.#dir = dir;
    this.#onError = onError;
  }

  /** Sees to it that this state is written, now or within 2 s. */
  save(record: JobRecord, now: boolean): void {
    this.#newest = record;
    const wait = now ? 0 : Math.max(0, this.#lastWrite + intervalMs - performance.now());
    if (wait === 0) this.#try();
    else
      this.#timer ??= setTimeout(() => {
        this.#try();
      }, wait);
  }

  /** Writes the last state of a job. @throws the file system's error. */
  async finish(record: JobRecord): Promise<void> {
    this.#newest = record;
    await this.#write();
  }

  /** Writes nothing more and waits for what is being written. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#newest = undefined;
    await this.#writing.catch(() => undefined);
  }

  #try(): void {
    this.#write().catch((error: unknown) => {
      if (!this.#failing) this.#onError(error);
      this.#failing = true;
    });
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lastWrite = performance.now();
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(async () => {
        const record = this.#newest;
        this.#newest = undefined;
        if (record === undefined) return;
        try {
          await writeJob(this.#dir, record);
          this.#failing = false;
        } catch (error) {
          this.#newest ??= record;
          throw error;
        }
      });
    return this.#writing;
  }
}

const intervalMs = 2000;
