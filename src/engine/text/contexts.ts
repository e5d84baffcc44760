import { closeSync, openSync, readSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { dealHeldOut } from './held-out.js';

/** What decides which contexts a text is cut into. */
export interface ContextSettings {
  contextSize: number;
  /** The tokenizer's BOS if every context starts with it, else null. */
  bosId: number | null;
  excludeFirstPosition: boolean;
  heldOutFraction: number;
  seed: number;
  tokenizerSha256: string;
}

/** `contexts.json`: written last, so that its presence says that `contexts.bin` is complete. */
export interface ContextsRecord {
  format_version: 1;
  context_size: number;
  bos_id: number | null;
  exclude_first_position: boolean;
  held_out_fraction: number;
  seed: number;
  tokenizer_sha256: string;
  special_ids: number[];
  documents: number;
  contexts: number;
  /** Token ids in the file, the BOS of each context included. */
  tokens: number;
  /** SHA-256 of the token ids. */
  sha256: string;
}

/** The settings as a record has them. */
export function settingsRecord(settings: ContextSettings) {
  return {
    context_size: settings.contextSize,
    bos_id: settings.bosId,
    exclude_first_position: settings.excludeFirstPosition,
    held_out_fraction: settings.heldOutFraction,
    seed: settings.seed,
    tokenizer_sha256: settings.tokenizerSha256,
  };
}

/** `contexts.bin` is [tokens] int32, then per context, each [contexts] uint32: length, document, start, rows. */
export const columns = 4;

/** Whether a position of a context is a training row. */
export function isRow(id: number, position: number, excludeFirst: boolean, special: ReadonlySet<number>): boolean {
  return !(position === 0 && excludeFirst) && !special.has(id);
}

/**
 * Tokenised text on disk, in contexts: at most `contextSize` tokens of one document each. Tokens are read when they are asked
 * for; in memory there are 28 bytes per context. Training rows are the positions that are neither special tokens nor, if so
 * chosen, the first one.
 */
export class Contexts {
  readonly contextSize: number;
  readonly count: number;
  readonly documentCount: number;
  /** All tokens, BOS included. */
  readonly tokens: number;
  readonly trainRows: number;
  readonly heldOutRows: number;
  readonly trainContexts: Uint32Array;
  readonly heldOutContexts: Uint32Array;
  /** SHA-256 of the token ids, hexadecimal. */
  readonly sha256: string;
  readonly #file: number;
  readonly #excludeFirst: boolean;
  readonly #firstIsNoRow: boolean;
  readonly #special: ReadonlySet<number>;
  readonly #offsets: Float64Array;
  readonly #documents: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #rows: Uint32Array;
  readonly #heldOut: Uint8Array;

  private constructor(file: number, record: ContextsRecord) {
    const { contexts, tokens } = record;
    const table = new Uint32Array(columns * contexts);
    readFully(file, table, 4 * tokens);
    const column = (i: number) => table.subarray(i * contexts, (i + 1) * contexts);
    this.#file = file;
    this.contextSize = record.context_size;
    this.count = contexts;
    this.documentCount = record.documents;
    this.tokens = tokens;
    this.sha256 = record.sha256;
    this.#excludeFirst = record.exclude_first_position;
    this.#special = new Set(record.special_ids);
    this.#firstIsNoRow = this.#excludeFirst || (record.bos_id !== null && this.#special.has(record.bos_id));
    this.#offsets = new Float64Array(contexts + 1);
    for (const [i, length] of column(0).entries()) this.#offsets[i + 1] = this.#offsets[i]! + length;
    this.#documents = column(1);
    this.#starts = column(2);
    this.#rows = column(3);
    const documentRows = new Float64Array(record.documents);
    for (let i = 0; i < contexts; i++) documentRows[this.document(i)]! += this.#rows[i]!;
    this.#heldOut = dealHeldOut(documentRows, record.held_out_fraction, record.seed);
    const all = Uint32Array.from({ length: contexts }, (_, i) => i);
    this.trainContexts = all.filter((i) => !this.heldOut(i));
    this.heldOutContexts = all.filter((i) => this.heldOut(i));
    this.trainRows = this.trainContexts.reduce((sum, i) => sum + this.#rows[i]!, 0);
    this.heldOutRows = this.heldOutContexts.reduce((sum, i) => sum + this.#rows[i]!, 0);
  }

  /** The contexts in `dir`, or null where they were never finished or were made with other settings. */
  static async open(dir: string, settings?: ContextSettings): Promise<Contexts | null> {
    const binary = path.join(dir, 'contexts.bin');
    let record: ContextsRecord;
    try {
      record = JSON.parse(await readFile(path.join(dir, 'contexts.json'), 'utf8')) as ContextsRecord;
      const { size } = await stat(binary);
      if (size !== 4 * (record.tokens + columns * record.contexts)) return null;
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    const wanted = settings && Object.entries(settingsRecord(settings));
    const same = ([key, value]: [string, unknown]) => record[key as keyof ContextsRecord] === value;
    if (wanted && !wanted.every(same)) return null;
    return new Contexts(openSync(binary, 'r'), record);
  }

  /** Tokens of context `i`. */
  length(i: number): number {
    return this.#offsets[i + 1]! - this.#offsets[i]!;
  }

  /** The token ids of context `i`: the first `length(i)` values of `out`, or a new array. */
  ids(i: number, out = new Int32Array(this.length(i))): Int32Array {
    const ids = out.subarray(0, this.length(i));
    readFully(this.#file, ids, 4 * this.#offsets[i]!);
    return ids;
  }

  /** Index of the document that context `i` is from. */
  document(i: number): number {
    return this.#documents[i]!;
  }

  /** Where context `i` begins in its document, in tokens, BOS not counted. */
  start(i: number): number {
    return this.#starts[i]!;
  }

  heldOut(i: number): boolean {
    return this.#heldOut[this.document(i)] === 1;
  }

  /** Positions of context `i` that are training rows, ascending. */
  rowPositions(i: number): Int32Array {
    const rows = this.rowCount(i);
    const first = this.#firstIsNoRow ? 1 : 0;
    if (rows === this.length(i) - first) return Int32Array.from({ length: rows }, (_, row) => first + row);
    const positions = new Int32Array(rows);
    let row = 0;
    for (const [position, id] of this.ids(i).entries()) {
      if (isRow(id, position, this.#excludeFirst, this.#special)) positions[row++] = position;
    }
    return positions;
  }

  rowCount(i: number): number {
    return this.#rows[i]!;
  }

  close(): void {
    closeSync(this.#file);
  }
}

function readFully(file: number, into: Int32Array | Uint32Array, position: number): void {
  for (let done = 0; done < into.byteLength;) {
    const got = readSync(file, into, done, into.byteLength - done, position + done);
    if (got === 0) throw new Error('contexts.bin is shorter than contexts.json says');
    done += got;
  }
}

export { buildContexts, type BuildContexts } from './build-contexts.js';
