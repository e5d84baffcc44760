import { open, type FileHandle } from 'node:fs/promises';
import { metricsPath } from '../run/layout.js';
import { parseMetricsLine } from '../run/records.js';
import { SeriesBuilder, type SeriesPart } from '../shared/series.js';

const chunkBytes = 65_536;
const newline = 0x0a;

/** Follows a run's `metrics.jsonl`: each look reads only what was added to the file since the last one. */
export class SeriesFile {
  readonly #file: string;
  #builder = new SeriesBuilder();
  /** Bytes of whole lines read. */
  #offset = 0;
  /** The last of these lines: where it is no longer in its place, the file was cut back and written anew. */
  #lastLine = Buffer.alloc(0);
  #told = false;

  constructor(dir: string) {
    this.#file = metricsPath(dir);
  }

  /**
   * What is new: at first the whole series, also if it is empty, and again the whole series after the file was cut back by
   * a resume. Null if nothing is new. One call at a time.
   * @throws the file system's error; a file that does not exist is an empty one.
   */
  async look(): Promise<SeriesPart | null> {
    const handle = await openOrNull(this.#file);
    try {
      if (this.#offset > 0 && !(handle && (await this.#continues(handle)))) this.#restart();
      if (handle) await this.#read(handle);
    } finally {
      await handle?.close();
    }
    const part = this.#builder.take();
    if (this.#told && part.series.step.length === 0) return null;
    this.#told = true;
    return part;
  }

  #restart(): void {
    this.#builder = new SeriesBuilder();
    this.#offset = 0;
    this.#lastLine = Buffer.alloc(0);
    this.#told = false;
  }

  async #continues(handle: FileHandle): Promise<boolean> {
    const there = Buffer.alloc(this.#lastLine.length);
    const { bytesRead } = await handle.read(there, 0, there.length, this.#offset - there.length);
    return bytesRead === there.length && there.equals(this.#lastLine);
  }

  async #read(handle: FileHandle): Promise<void> {
    const chunk = Buffer.alloc(chunkBytes);
    let rest = Buffer.alloc(0);
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunkBytes, this.#offset + rest.length);
      if (bytesRead === 0) return;
      rest = this.#addLines(Buffer.concat([rest, chunk.subarray(0, bytesRead)]));
    }
  }

  /** Takes in the whole lines of some bytes and returns those of a last line that is not whole yet. */
  #addLines(bytes: Buffer): Buffer<ArrayBuffer> {
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      const line = parseMetricsLine(bytes.toString('utf8', start, end));
      if (line) this.#builder.add(line);
      this.#lastLine = Buffer.from(bytes.subarray(start, end + 1));
      this.#offset += this.#lastLine.length;
      start = end + 1;
    }
    return Buffer.from(bytes.subarray(start));
  }
}

async function openOrNull(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}
