import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, type SchemaElement } from 'hyparquet';
import { inputError } from '../shared/errors.js';
import { examplesPath, latentsPath } from './layout.js';

/** The features folder of a run: what is in its two Parquet files, and how to read them. */

function required(name: string, type: 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE'): SchemaElement {
  return { name, type, repetition_type: 'REQUIRED' };
}

function optional(name: string, type: 'INT32' | 'FLOAT' | 'BYTE_ARRAY'): SchemaElement {
  return { name, type, repetition_type: 'OPTIONAL', ...(type === 'BYTE_ARRAY' ? { converted_type: 'UTF8' } : {}) };
}

function table(columns: SchemaElement[]): SchemaElement[] {
  return [{ name: 'root', num_children: columns.length }, ...columns];
}

/** Columns of `features/latents.parquet`, one row per latent in order. `examples` counts its rows in the other file. */
export const latentSchema = table([
  required('latent', 'INT32'),
  required('firing_count', 'INT64'),
  required('frequency', 'DOUBLE'),
  optional('max_activation', 'FLOAT'),
  optional('mean_activation', 'FLOAT'),
  required('examples', 'INT32'),
]);

/** Columns of `features/examples.parquet`, by latent, strongest first. */
export const exampleSchema = table([
  required('latent', 'INT32'),
  required('rank', 'INT32'),
  required('activation', 'FLOAT'),
  required('sample_id', 'INT32'),
  required('token_pos', 'INT32'),
  optional('document', 'INT32'),
  optional('token', 'BYTE_ARRAY'),
  optional('text_before', 'BYTE_ARRAY'),
  optional('text_after', 'BYTE_ARRAY'),
]);

export interface LatentSummary {
  latent: number;
  /** Tokens it fired on, of those searched for examples. */
  firingCount: number;
  /** The same as a fraction of them. */
  frequency: number;
  /** Null for a latent that never fired. */
  maxActivation: number | null;
  /** Mean over the tokens it fired on. */
  meanActivation: number | null;
}

export interface FeatureExample {
  rank: number;
  activation: number;
  /** The context, or the sample of recorded activations. */
  sample: number;
  position: number;
  /** Null, like the text, where only recorded activations were at hand. */
  document: number | null;
  token: string | null;
  before: string | null;
  after: string | null;
}

interface LatentRow {
  latent: number;
  firing_count: bigint;
  frequency: number;
  max_activation: number | null;
  mean_activation: number | null;
  examples: number;
}

interface ExampleRow {
  rank: number;
  activation: number;
  sample_id: number;
  token_pos: number;
  document: number | null;
  token: string | null;
  text_before: string | null;
  text_after: string | null;
}

async function read(file: string, range: { rowStart?: number; rowEnd?: number } = {}): Promise<unknown[]> {
  try {
    const buffer = await asyncBufferFromFile(file);
    return await parquetReadObjects({ file: buffer, metadata: await parquetMetadataAsync(buffer), ...range });
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = missing ? 'does not exist' : `cannot be read: ${(error as Error).message}`;
    const hint = 'Features are written when a run completes, unless its feature_tokens is 0.';
    throw inputError('run_unreadable', `${file} ${reason}.`, hint);
  }
}

/** The features of a finished run. Summaries are in memory; examples are read when asked for. */
export class Features {
  /** One per latent, in order. */
  readonly summaries: readonly LatentSummary[];
  readonly #examples: string;
  /** Row of `examples.parquet` at which each latent begins, and the end of the last. */
  readonly #starts: Float64Array;

  private constructor(runDir: string, rows: LatentRow[]) {
    this.#examples = examplesPath(runDir);
    this.#starts = new Float64Array(rows.length + 1);
    this.summaries = rows.map((row, i) => {
      this.#starts[i + 1] = this.#starts[i]! + row.examples;
      return {
        latent: row.latent,
        firingCount: Number(row.firing_count),
        frequency: row.frequency,
        maxActivation: row.max_activation,
        meanActivation: row.mean_activation,
      };
    });
  }

  /** @throws WorkbenchError `run_unreadable` where the run has no features or they are damaged. */
  static async open(runDir: string): Promise<Features> {
    return new Features(runDir, (await read(latentsPath(runDir))) as LatentRow[]);
  }

  /** A latent's examples, strongest first; none for a latent that never fired. */
  async examples(latent: number): Promise<FeatureExample[]> {
    const [rowStart, rowEnd] = [this.#starts[latent], this.#starts[latent + 1]];
    if (rowStart === undefined || rowEnd === undefined)
      throw new RangeError(`latent ${latent} of ${this.summaries.length}`);
    if (rowStart === rowEnd) return [];
    const rows = (await read(this.#examples, { rowStart, rowEnd })) as ExampleRow[];
    return rows.map((row) => ({
      rank: row.rank,
      activation: row.activation,
      sample: row.sample_id,
      position: row.token_pos,
      document: row.document,
      token: row.token,
      before: row.text_before,
      after: row.text_after,
    }));
  }
}
