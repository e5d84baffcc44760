import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

// V8 prints a native stack of dozens of lines below the one that says that the heap is full.
const keptLines = 100;
const keptLength = 1000;

/** The last lines a process printed, whatever it printed them with. */
export class LastWords {
  readonly #lines: string[] = [];

  constructor(streams: readonly (Readable | null)[], onLine: (line: string) => void) {
    for (const stream of streams) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        const kept = line.slice(0, keptLength);
        this.#lines.push(kept);
        if (this.#lines.length > keptLines) this.#lines.shift();
        onLine(kept);
      });
    }
  }

  /** Oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }
}
