import { createHash } from 'node:crypto';
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../run/atomic.js';
import { inputError } from '../../shared/errors.js';
import type { Control } from '../control.js';
import type { Tokenizer } from '../model/tokenizer.js';
import { columns, Contexts, isRow, settingsRecord, type ContextSettings, type ContextsRecord } from './contexts.js';
import type { Document } from './documents.js';

export interface BuildContexts {
  documents: AsyncIterable<Document>;
  tokenizer: Tokenizer;
  contextSize: number;
  /** Start every context with BOS, if the tokenizer has one. */
  prependBos: boolean;
  excludeFirstPosition: boolean;
  /** Part of the training rows to hold out, in whole documents. */
  heldOutFraction: number;
  seed: number;
  /** Where contexts.bin and contexts.json go. */
  dir: string;
  control: Control;
  onProgress?: (progress: { fraction: number; documents: number; tokens: number }) => void;
}

/** Milliseconds of tokenising between two looks at the messages that came in. */
const breathMs = 20;

/** A list of uint32 that grows. */
class Uint32List {
  #values = new Uint32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Uint32Array(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  get view(): Uint32Array {
    return this.#values.subarray(0, this.length);
  }
}

/** Writes `contexts.bin` in one go from front to back. */
class ContextsWriter {
  documents = 0;
  tokens = 0;
  readonly #columns = Array.from({ length: columns }, () => new Uint32List());
  readonly #hash = createHash('sha256');
  readonly #buffer: Int32Array;
  #buffered = 0;

  constructor(
    readonly file: FileHandle,
    readonly settings: ContextSettings,
    readonly special: ReadonlySet<number>,
  ) {
    this.#buffer = new Int32Array(Math.max(1 << 16, settings.contextSize));
  }

  get contexts(): number {
    return this.#columns[0]!.length;
  }

  /** Cuts a document into contexts. Those with one token, or none that is a training row, are left out. */
  async add(ids: readonly number[]): Promise<void> {
    const { contextSize, bosId, excludeFirstPosition } = this.settings;
    const lead = bosId === null ? [] : [bosId];
    const body = contextSize - lead.length;
    for (let start = 0; start < ids.length; start += body) {
      const context = [...lead, ...ids.slice(start, start + body)];
      const rows = context.filter((id, at) => isRow(id, at, excludeFirstPosition, this.special)).length;
      if (context.length < 2 || rows === 0) continue;
      for (const [column, value] of [context.length, this.documents, start, rows].entries()) {
        this.#columns[column]!.push(value);
      }
      if (this.#buffered + context.length > this.#buffer.length) await this.#flush();
      this.#buffer.set(context, this.#buffered);
      this.#buffered += context.length;
      this.tokens += context.length;
    }
    this.documents++;
  }

  async #flush(): Promise<void> {
    await this.#write(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  async #write(values: Int32Array | Uint32Array): Promise<void> {
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    if (values instanceof Int32Array) this.#hash.update(bytes);
    for (let done = 0; done < bytes.length;) {
      done += (await this.file.write(bytes, done, bytes.length - done)).bytesWritten;
    }
  }

  async finish(): Promise<ContextsRecord> {
    await this.#flush();
    for (const column of this.#columns) await this.#write(column.view);
    await this.file.sync();
    return {
      format_version: 1,
      ...settingsRecord(this.settings),
      special_ids: [...this.special].sort((a, b) => a - b),
      documents: this.documents,
      contexts: this.contexts,
      tokens: this.tokens,
      sha256: this.#hash.digest('hex'),
    };
  }
}

/**
 * Tokenises documents into contexts on disk. Finished contexts in `dir` made with the same settings are opened as they are,
 * and the documents then not read.
 *
 * @throws WorkbenchError `text_empty` if no context has a training row; whatever `documents` throws; Cancelled.
 */
export async function buildContexts(options: BuildContexts): Promise<Contexts> {
  const { tokenizer, dir, control, onProgress } = options;
  const settings: ContextSettings = {
    contextSize: options.contextSize,
    bosId: options.prependBos ? tokenizer.bosId : null,
    excludeFirstPosition: options.excludeFirstPosition,
    heldOutFraction: options.heldOutFraction,
    seed: options.seed,
    tokenizerSha256: tokenizer.sha256,
  };
  const finished = await Contexts.open(dir, settings);
  if (finished) return finished;
  await mkdir(dir, { recursive: true });
  const binary = path.join(dir, 'contexts.bin');
  const json = path.join(dir, 'contexts.json');
  await rm(json, { force: true });
  try {
    const file = await open(binary, 'w');
    try {
      const writer = new ContextsWriter(file, settings, tokenizer.specialIds);
      const encode = tokenizer.encoder();
      let breath = performance.now();
      for await (const { text, done } of options.documents) {
        await writer.add(encode(text));
        if (performance.now() - breath < breathMs) continue;
        onProgress?.({ fraction: done, documents: writer.documents, tokens: writer.tokens });
        await control.breathe();
        breath = performance.now();
      }
      if (writer.contexts === 0) throw tooShort();
      onProgress?.({ fraction: 1, documents: writer.documents, tokens: writer.tokens });
      const record = await writer.finish();
      await writeFileAtomic(json, `${JSON.stringify(record, null, 2)}\n`);
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(binary, { force: true });
    throw error;
  }
  return (await Contexts.open(dir, settings))!;
}

function tooShort() {
  const hint = 'Give documents of at least two tokens; a document is a line of a .jsonl file or a whole text file.';
  return inputError('text_empty', 'The text has no document long enough to train on.', hint, 'text');
}
