import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { idOf, LogPart } from './log-part.js';
import { lastOf } from './merge.js';
import { RecordParser, type StoredRecord } from './read-records.js';

type Wanted = (record: StoredRecord) => boolean;

/** Names move by one while files are looked for, and by more if somebody logs very much. */
const moreThanSeen = 5;

/**
 * One log with its older files, `api.log.5` … `api.log`, read while somebody may be writing it: rotation, truncation and
 * deletion hide no line and show none twice. Needs a constant amount of memory, whatever the size of the files.
 */
export class RotatedLog {
  readonly #file: string;
  readonly #following: boolean;
  readonly #parser = new RecordParser();
  /** Files to be read, oldest first. */
  #parts: LogPart[] = [];
  /** The one of them that is written, and stays open. */
  #live: LogPart | undefined;
  /** Fingerprints of the files that were read to their end. */
  #done = new Set<string>();

  /** `following`: an unfinished line at the end of the live file is left for later. */
  constructor(file: string, following: boolean) {
    this.#file = file;
    this.#following = following;
  }

  /** Looks which files there are. @throws the file system's error if one of them cannot be read. */
  async open(): Promise<void> {
    if (!this.exists) await this.#find();
  }

  /** Whether there was a file when somebody looked. */
  get exists(): boolean {
    return this.#parts.length > 0;
  }

  /** The newest `count` records that are wanted, oldest first. Everything up to them then counts as read. */
  async newest(count: number, wanted: Wanted): Promise<StoredRecord[]> {
    let kept: StoredRecord[] = [];
    for (const part of this.#parts.toReversed()) {
      if (kept.length >= count && part !== this.#live) continue;
      const parser = part === this.#live ? this.#parser : new RecordParser();
      const records = this.#whole(part, parser, wanted);
      kept = [...(await lastOf(records, count - kept.length)), ...kept];
    }
    await this.#release();
    return kept;
  }

  /** The records that are wanted, oldest first; files that were last written before `since` are left out. */
  async *all(wanted: Wanted, since = -Infinity): AsyncGenerator<StoredRecord> {
    for (const part of this.#parts) {
      const old = part !== this.#live && (await part.writtenAt()) < since;
      if (!old) yield* this.#whole(part, this.#parser, wanted);
    }
    await this.#release();
  }

  /**
   * What was written since everything was read, oldest first, in batches; an empty one if it was no whole record. The last
   * record is kept back while the file grows, since more of its stack may follow.
   */
  async *news(): AsyncGenerator<StoredRecord[]> {
    if (!(await this.#isLive())) await this.#find();
    let grown = false;
    for (const part of this.#parts) {
      for await (const lines of part.lines()) {
        grown = true;
        yield this.#parse(this.#parser, lines, part);
      }
      if (part !== this.#live) yield this.#finish(part, this.#parser);
    }
    const last = grown ? undefined : this.#parser.end();
    if (last) yield [last];
    await this.#release();
  }

  async close(): Promise<void> {
    for (const part of this.#parts.splice(0)) await part.close();
  }

  async *#whole(part: LogPart, parser: RecordParser, wanted: Wanted): AsyncGenerator<StoredRecord> {
    for await (const lines of part.lines()) yield* this.#parse(parser, lines, part).filter(wanted);
    if (this.#following && part === this.#live) {
      const last = parser.end();
      if (last && wanted(last)) yield last;
    } else {
      yield* this.#finish(part, parser).filter(wanted);
    }
  }

  #parse(parser: RecordParser, lines: readonly string[], { name }: LogPart): StoredRecord[] {
    return lines.map((line) => parser.add(line, name)).filter((record) => record !== undefined);
  }

  /** Nobody writes the file any more: its last record and its last line are what they are. */
  #finish(part: LogPart, parser: RecordParser): StoredRecord[] {
    const records = this.#parse(parser, part.rest(), part);
    const last = parser.end();
    return last ? [...records, last] : records;
  }

  async #isLive(): Promise<boolean> {
    try {
      return idOf(await stat(this.#file, { bigint: true })) === this.#live?.id;
    } catch {
      return false;
    }
  }

  /**
   * Opens the files that are there and were not read to their end; those that were open and are gone come before them. From
   * the newest to the oldest, as they move when they are rotated: what moves meanwhile is met again, never missed.
   */
  async #find(): Promise<void> {
    const found: LogPart[] = [];
    const done = new Set<string>();
    const last = (await this.#oldest()) + moreThanSeen;
    try {
      for (let index = 0; index <= last; index++) {
        const part = await LogPart.open(index === 0 ? this.#file : `${this.#file}.${index}`);
        if (part === undefined) continue;
        const known = [...this.#parts, ...found].find(({ id }) => id === part.id);
        const fingerprint = await part.fingerprint();
        const read = known === undefined && this.#done.has(fingerprint);
        if (read) done.add(fingerprint);
        if (known) known.name = part.name;
        if (known || read) await part.close();
        if (!read && !found.includes(known ?? part)) found.push(known ?? part);
      }
    } catch (error) {
      for (const part of found) if (!this.#parts.includes(part)) await part.close();
      throw error;
    }
    this.#done = done;
    this.#live = found[0];
    this.#parts = [...this.#parts.filter((part) => !found.includes(part)), ...found.reverse()];
  }

  /** The number of the oldest file. */
  async #oldest(): Promise<number> {
    const prefix = `${path.basename(this.#file)}.`;
    const names = await readdir(path.dirname(this.#file)).catch(() => []);
    const numbers = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    return Math.max(0, ...numbers.filter((number) => /^\d{1,4}$/.test(number)).map(Number));
  }

  /** Closes all files but the live one: Windows renames none over a file that is open. */
  async #release(): Promise<void> {
    for (const part of this.#parts) {
      if (part === this.#live) continue;
      this.#done.add(await part.fingerprint());
      await part.close();
    }
    this.#parts = this.#live ? [this.#live] : [];
  }
}
