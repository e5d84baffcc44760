import { FolderWatch } from '../folder-watch.js';
import type { LogReader } from './log-reader.js';
import type { StoredRecord } from './read-records.js';

/** While something is written, it is looked again so soon; also what a record waits for the rest of its stack. */
const settleMs = 50;
/** Where the system does not tell of changes: network shares, containers' mounts. */
const pollMs = 500;

/**
 * What is written to the logs of a reader from now on, in batches, until the signal aborts. Files and folders may be
 * rotated, emptied, deleted and made again.
 */
export async function* followLogs(reader: LogReader, signal: AbortSignal): AsyncGenerator<StoredRecord[]> {
  const pause = new Pause(signal);
  const watch = new FolderWatch(() => {
    pause.end();
  });
  try {
    while (!signal.aborted) {
      await watch.watch(reader.folders);
      let grown = false;
      for await (const records of reader.news()) {
        grown = true;
        if (records.length > 0) yield records;
      }
      await pause.wait(grown ? settleMs : pollMs);
    }
  } finally {
    watch.dispose();
  }
}

/** A wait that can be ended early. */
class Pause {
  readonly #signal: AbortSignal;
  #end: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      this.end();
    });
  }

  end(): void {
    this.#end?.();
  }

  async wait(milliseconds: number): Promise<void> {
    if (this.#signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#end = undefined;
  }
}
