import { open, type FileHandle } from 'node:fs/promises';

const chunkBytes = 64 * 1024;
const headBytes = 256;
/** A line longer than this is handed on in pieces. */
const longestLine = 1024 * 1024;
const newline = 0x0a;
const nothing = Buffer.alloc(0);

/** One file of a log, open for reading. It stays the same file when it is renamed. */
export class LogPart {
  readonly #handle: FileHandle;
  /** Of the file, whatever its name: no other file has it while this one is open. */
  readonly id: string;
  /** Its name when it was seen last. */
  name: string;
  #position = 0;
  /** What was read of a line whose end was not. */
  #rest = nothing;
  /** The first line of the file, or its beginning. */
  #head = nothing;

  private constructor(handle: FileHandle, id: string, name: string) {
    this.#handle = handle;
    this.id = id;
    this.name = name;
  }

  /** Undefined if there is no such file. @throws the file system's error if it cannot be read. */
  static async open(name: string): Promise<LogPart | undefined> {
    try {
      const handle = await open(name, 'r');
      return new LogPart(handle, idOf(await handle.stat({ bigint: true })), name);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  /** What tells this file, as it is now, from every other that has been there: numbers of deleted files are used again. */
  async fingerprint(): Promise<string> {
    const { size, mtimeNs } = await this.#handle.stat({ bigint: true });
    return `${this.id} ${size} ${mtimeNs}`;
  }

  /** When it was written last, in milliseconds since 1970. */
  async writtenAt(): Promise<number> {
    return (await this.#handle.stat()).mtimeMs;
  }

  /** The whole lines from where reading stopped to the present end, in batches; none are in a batch if a line is long. */
  async *lines(): AsyncGenerator<string[]> {
    await this.#rewindIfEmptied();
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (;;) {
      const { bytesRead } = await this.#handle.read(chunk, 0, chunkBytes, this.#position);
      if (bytesRead === 0) return;
      const bytes = chunk.subarray(0, bytesRead);
      if (this.#position === 0) this.#head = Buffer.from(firstLine(bytes.subarray(0, headBytes)));
      this.#position += bytesRead;
      const end = bytes.lastIndexOf(newline);
      if (end >= 0) {
        const whole = Buffer.concat([this.#rest, bytes.subarray(0, end)]);
        this.#rest = Buffer.from(bytes.subarray(end + 1));
        yield whole.toString('utf8').split('\n');
      } else {
        this.#rest = Buffer.concat([this.#rest, bytes]);
        yield this.#rest.length < longestLine ? [] : this.rest();
      }
    }
  }

  /** The last line, if it has no end: for a file that nobody writes any more. */
  rest(): string[] {
    const line = this.#rest.toString('utf8');
    this.#rest = nothing;
    return line === '' ? [] : [line];
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /**
   * A file that no longer begins as it did was emptied, and is read from its start. One that only became shorter was not:
   * its writer met a full disk and took back what it could not write whole.
   */
  async #rewindIfEmptied(): Promise<void> {
    const { size } = await this.#handle.stat();
    const head = Buffer.alloc(this.#head.length);
    const { bytesRead } = await this.#handle.read(head, 0, head.length, 0);
    const same = bytesRead === head.length && head.equals(this.#head);
    if (same && size >= this.#position) return;
    this.#position = same ? size : 0;
    this.#rest = nothing;
  }
}

function firstLine(bytes: Buffer): Buffer {
  const end = bytes.indexOf(newline);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Two names are the same file if their ids are equal. */
export function idOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}
