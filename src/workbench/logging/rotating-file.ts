import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';

export interface RotatingFileOptions {
  /** Most bytes of a file. */
  maxBytes?: number;
  /** Older files kept: `api.log.1` is the newest of them. */
  keep?: number;
  /** Called when writing stops working, once. */
  onFailure?: (error: unknown) => void;
  /** Called when it works again; returns a line that says how many lines were lost, or undefined. */
  onRecovery?: (lost: number) => string | undefined;
}

interface Live {
  fd: number;
  dev: bigint;
  ino: bigint;
  size: number;
}

const flushBytes = 64 * 1024;
/** What is kept in memory while nothing can be written, and what before the file has its place. */
const heldBytes = 1024 * 1024;
const earlyBytes = 64 * 1024 * 1024;
const retryMs = 1000;

/**
 * A log file that never grows beyond a size: when it would, it becomes `name.1`, `name.1` becomes `name.2`, and so on.
 *
 * Lines are written together once per turn of the event loop, synchronously: what a turn logged is in the file before the
 * next one begins, and on exit nothing is in flight. Nothing here throws. While writing fails (disk full, no access) up to
 * 1 MiB of lines waits in memory, later ones are counted as lost; it is tried again every second. A file or folder deleted
 * meanwhile is made anew.
 */
export class RotatingFile {
  readonly #options: Required<Pick<RotatingFileOptions, 'maxBytes' | 'keep'>> & RotatingFileOptions;
  #file: string | undefined;
  #live: Live | undefined;
  #lines: string[] = [];
  #bytes = 0;
  #scheduled = false;
  #failedAt: number | undefined;
  #retry: NodeJS.Timeout | undefined;
  #lost = 0;

  constructor(options: RotatingFileOptions = {}) {
    this.#options = { maxBytes: 10_000_000, keep: 5, ...options };
  }

  /** Says where the file is, at first and if that changes. Lines wait in memory until then. */
  place(file: string): void {
    this.#closeLive();
    this.#file = file;
    this.flush();
  }

  /** Adds a line (or a record of several), which ends with a line break. */
  append(line: string): void {
    const stuck = this.#failedAt !== undefined || this.#file === undefined;
    const room = this.#file === undefined ? earlyBytes : heldBytes;
    // Once one is lost, all are until writing works again: no line may come before an older one.
    if (stuck && (this.#lost > 0 || this.#bytes + line.length > room)) {
      this.#lost++;
    } else {
      this.#lines.push(line);
      this.#bytes += line.length;
    }
    if (this.#failedAt !== undefined) {
      if (performance.now() - this.#failedAt >= retryMs) this.flush();
    } else if (this.#bytes >= flushBytes && !stuck) {
      this.flush();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        if (this.#failedAt === undefined) this.flush();
      });
    }
  }

  /** Writes what waits, if that is possible. */
  flush(): void {
    if (this.#file === undefined || (this.#lines.length === 0 && this.#lost === 0)) return;
    clearTimeout(this.#retry);
    try {
      this.#write(this.#file);
      if (this.#lost > 0 || this.#failedAt !== undefined) this.#recover(this.#file);
    } catch (error) {
      const first = this.#failedAt === undefined;
      this.#failedAt = performance.now();
      this.#retry = setTimeout(() => {
        this.flush();
      }, retryMs).unref();
      if (first) this.#options.onFailure?.(error);
    }
  }

  /** Writes what waits and closes the file. */
  close(): void {
    this.flush();
    clearTimeout(this.#retry);
    this.#closeLive();
    this.#file = undefined;
  }

  #recover(file: string): void {
    const notice = this.#options.onRecovery?.(this.#lost);
    this.#failedAt = undefined;
    this.#lost = 0;
    if (notice === undefined) return;
    this.#lines.push(notice);
    this.#bytes += notice.length;
    this.#write(file);
  }

  #write(file: string): void {
    while (this.#lines.length > 0) {
      const live = this.#open(file);
      const { batch, count } = this.#batch(this.#options.maxBytes - live.size);
      if (count === 0 && this.#rotate(file)) continue;
      // A line that fits no file, or a file that cannot be renamed just now: rather too long than lost.
      const bytes = count === 0 ? Buffer.from(this.#lines[0]!) : batch;
      writeWhole(live, bytes);
      this.#bytes -= this.#lines.splice(0, Math.max(1, count)).reduce((sum, line) => sum + line.length, 0);
    }
  }

  /** As many of the waiting lines as have room, and at most about 64 KiB. */
  #batch(room: number): { batch: Buffer; count: number } {
    let bytes = 0;
    let count = 0;
    while (count < this.#lines.length && bytes < flushBytes) {
      const size = Buffer.byteLength(this.#lines[count]!);
      if (bytes + size > room) break;
      bytes += size;
      count++;
    }
    return { batch: Buffer.from(this.#lines.slice(0, count).join('')), count };
  }

  /** The live file, opened again if somebody deleted or replaced it. */
  #open(file: string): Live {
    if (this.#live !== undefined) {
      const there = statSync(file, { bigint: true, throwIfNoEntry: false });
      if (there?.ino === this.#live.ino && there.dev === this.#live.dev) {
        // Somebody may have emptied it, or added to it.
        this.#live.size = Number(there.size);
        return this.#live;
      }
      this.#closeLive();
    }
    mkdirSync(path.dirname(file), { recursive: true });
    const fd = openSync(file, 'a+');
    const { dev, ino, size } = fstatSync(fd, { bigint: true });
    this.#live = { fd, dev, ino, size: Number(size) };
    endLastLine(this.#live);
    return this.#live;
  }

  /** Returns false if there is nothing to gain or the file system refuses (Windows, while somebody reads the file). */
  #rotate(file: string): boolean {
    if (this.#live?.size === 0) return false;
    this.#closeLive();
    const name = (index: number) => (index === 0 ? file : `${file}.${index}`);
    let free = 1;
    while (free < this.#options.keep && existsSync(name(free))) free++;
    try {
      for (let index = free; index > 0; index--) renameSync(name(index - 1), name(index));
      return true;
    } catch {
      this.#open(file);
      return false;
    }
  }

  #closeLive(): void {
    const live = this.#live;
    this.#live = undefined;
    if (live === undefined) return;
    try {
      closeSync(live.fd);
    } catch {
      // A network file system may report here what it could not write; the next write will meet the same.
    }
  }
}

/** Writes all bytes or, if the disk is full in the middle, none. */
function writeWhole(live: Live, bytes: Buffer): void {
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(live.fd, bytes, done);
    live.size += bytes.length;
  } catch (error) {
    cutBack(live);
    throw error;
  }
}

function cutBack({ fd, size }: Live): void {
  try {
    ftruncateSync(fd, size);
  } catch {
    // What cannot be cut (a pipe, a device) has kept nothing either; the error to report is that of the write.
  }
}

/** A process that was killed while writing may have left half a line: it must not run into the next one. */
function endLastLine(live: Live): void {
  const last = Buffer.alloc(1);
  if (live.size === 0 || readSync(live.fd, last, 0, 1, live.size - 1) === 0 || last[0] === 0x0a) return;
  writeWhole(live, Buffer.from('\n'));
}
