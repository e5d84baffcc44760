import type { SeriesPart } from '../shared/series.js';
import { SeriesFile } from './series-file.js';

const intervalMs = 500;

/** Tells a listener of a run's series: at each nudge, but at most every 500 ms and one look at a time. */
export class SeriesFollower {
  readonly #file: SeriesFile;
  readonly #tell: (part: SeriesPart) => void;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #lookedAt = -Infinity;
  /** Whether a look is to come already. */
  #nudged = false;
  #stopped = false;
  #failing = false;

  /** `onError` is called once when the file cannot be read any more; every nudge tries again. */
  constructor(dir: string, tell: (part: SeriesPart) => void, onError: (error: unknown) => void) {
    this.#file = new SeriesFile(dir);
    this.#tell = tell;
    this.#onError = onError;
  }

  /** There may be more to read. */
  nudge(): void {
    if (this.#nudged || this.#stopped) return;
    this.#nudged = true;
    const wait = Math.max(0, this.#lookedAt + intervalMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, wait);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    this.#nudged = false;
    this.#lookedAt = performance.now();
    try {
      const part = await this.#file.look();
      this.#failing = false;
      if (part !== null && !this.#stopped) this.#tell(part);
    } catch (error) {
      if (!this.#failing) this.#onError(error);
      this.#failing = true;
    }
  }
}
