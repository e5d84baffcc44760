import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { inputError } from '../../shared/errors.js';
import { writersFolders } from './log-folder.js';
import { lastOf, mergeByTime } from './merge.js';
import { isWanted, type RecordFilter, type StoredRecord } from './read-records.js';
import { RotatedLog } from './rotated-log.js';

export interface LogReaderOptions {
  /** Log folders; the folders of further writers inside them (`2/`, `3/` …) are read too. */
  folders: readonly string[];
  filter?: RecordFilter;
  /** Whether `news` will be read. */
  follow?: boolean;
}

/** Reads the `api.log` of several log folders as one log. Must be closed. */
export class LogReader {
  readonly #options: LogReaderOptions;
  /** By their folders. */
  readonly #logs = new Map<string, RotatedLog>();
  /** A folder that was named twice, in two ways, is read once. */
  readonly #byRealPath = new Map<string, RotatedLog>();

  private constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  /**
   * @throws WorkbenchError `run_unreadable` if a folder is missing or, unless it is to be followed, holds no log; the file
   * system's error if one cannot be read.
   */
  static async open(options: LogReaderOptions): Promise<LogReader> {
    const reader = new LogReader(options);
    try {
      for (const folder of options.folders) await reader.#open(folder);
      return reader;
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  /** Every folder that is read. */
  get folders(): string[] {
    return [...this.#logs.keys()];
  }

  /** The newest `count` records, oldest first; everything before now then counts as read. */
  async newest(count: number): Promise<StoredRecord[]> {
    const each = [];
    for (const log of this.#logs.values()) each.push(await log.newest(count, this.#isWanted));
    return lastOf(mergeByTime(each), count);
  }

  /** All records, oldest first. */
  all(): AsyncGenerator<StoredRecord> {
    const since = this.#options.filter?.since;
    return mergeByTime([...this.#logs.values()].map((log) => log.all(this.#isWanted, since)));
  }

  /**
   * What was written since everything was read, in batches as the logs give it; those of writers that came since are read
   * from their beginning. An empty batch says that something was written, and more may come at once.
   */
  async *news(): AsyncGenerator<StoredRecord[]> {
    await this.#findWriters();
    for (const log of this.#logs.values()) {
      try {
        for await (const records of log.news()) yield records.filter(this.#isWanted);
      } catch (error) {
        // Windows refuses files that are being deleted, network drives come and go: the next look tries again.
        if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      }
    }
  }

  async close(): Promise<void> {
    for (const log of this.#logs.values()) await log.close();
  }

  readonly #isWanted = (record: StoredRecord) => isWanted(record, this.#options.filter ?? {});

  async #open(folder: string): Promise<void> {
    const hint = 'Name the folder with api.log in it; commands write logs/ in the folder they run in.';
    const found = await stat(folder).catch(() => undefined);
    if (!found?.isDirectory()) throw inputError('run_unreadable', `There is no log folder ${folder}.`, hint);
    const logs = await this.#add(folder);
    for (const log of logs) await log.open();
    if (this.#options.follow === true || logs.some(({ exists }) => exists)) return;
    throw inputError('run_unreadable', `There is no log in ${folder}: it has no api.log.`, hint);
  }

  /** Logs of folders that appeared lately have not been opened: their `news` is all of them. */
  async #findWriters(): Promise<void> {
    for (const folder of this.#options.folders) {
      // Deleted, and perhaps made again later.
      await this.#add(folder).catch(() => undefined);
    }
  }

  /** The logs of a folder and its further writers. */
  async #add(folder: string): Promise<RotatedLog[]> {
    const logs: RotatedLog[] = [];
    for (const each of await writersFolders(path.resolve(folder))) {
      const real = await realpath(each);
      const twin = this.#logs.get(each) ?? this.#byRealPath.get(real);
      const log = twin ?? new RotatedLog(path.join(each, 'api.log'), this.#options.follow === true);
      if (twin === undefined) {
        this.#logs.set(each, log);
        this.#byRealPath.set(real, log);
      }
      logs.push(log);
    }
    return logs;
  }
}
