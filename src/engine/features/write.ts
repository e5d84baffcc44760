import { mkdir } from 'node:fs/promises';
import { ByteWriter, ParquetWriter, type ColumnSource } from 'hyparquet-writer';
import { writeFileAtomic } from '../../run/atomic.js';
import { exampleSchema, latentSchema } from '../../run/features.js';
import { examplesPath, featuresDir, latentsPath } from '../../run/layout.js';
import type { Control } from '../control.js';
import type { TopExamples } from './collect.js';
import type { TextLookup } from './text.js';

type Schema = typeof exampleSchema;
type Rows = Record<string, unknown>[];

/** Latents per row group of examples: what a reader decodes to show one of them. */
const groupLatents = 256;

/** A Parquet file in pieces, one per row group, so that it is never in memory as a whole; a piece is valid until the next. */
async function* parquet(schema: Schema, groups: AsyncIterable<Rows>): AsyncGenerator<Uint8Array> {
  const writer = new ByteWriter();
  const file = new ParquetWriter({ writer, schema: [...schema], createdBy: 'interpretability-workbench' });
  const drain = () => {
    const bytes = writer.getBytes();
    writer.index = 0;
    return bytes;
  };
  for await (const rows of groups) {
    const columnData: ColumnSource[] = schema
      .slice(1)
      .map(({ name }) => ({ name, data: rows.map((row) => row[name]) }));
    if (rows.length > 0) await file.write({ columnData, rowGroupSize: rows.length });
    yield drain();
  }
  await file.finish();
  yield drain();
}

async function* latentRows(top: TopExamples): AsyncGenerator<Rows> {
  yield await Promise.resolve(
    Array.from({ length: top.latents }, (_, latent) => {
      const examples = top.examples(latent);
      return {
        latent,
        firing_count: BigInt(top.firingCounts[latent]!),
        frequency: top.tokens === 0 ? 0 : top.firingCounts[latent]! / top.tokens,
        max_activation: examples[0]?.activation ?? null,
        mean_activation: top.meanActivation(latent),
        examples: examples.length,
      };
    }),
  );
}

async function* exampleRows(top: TopExamples, lookup: TextLookup | null, control: Control): AsyncGenerator<Rows> {
  for (let first = 0; first < top.latents; first += groupLatents) {
    await control.breathe();
    const rows: Rows = [];
    for (let latent = first; latent < Math.min(top.latents, first + groupLatents); latent++) {
      top.examples(latent).forEach((example, rank) => {
        const text = lookup?.(example);
        rows.push({
          latent,
          rank,
          activation: example.activation,
          sample_id: example.sample,
          token_pos: example.position,
          document: text?.document ?? null,
          token: text?.token ?? null,
          text_before: text?.before ?? null,
          text_after: text?.after ?? null,
        });
      });
    }
    yield rows;
  }
}

/**
 * Writes the features folder of a run: `latents.parquet`, one row per latent, and `examples.parquet`, each latent's
 * examples one after the other, strongest first. `lookup` is null where there is no text, as with recorded activations.
 */
export async function writeFeatures(
  runDir: string,
  top: TopExamples,
  lookup: TextLookup | null,
  control: Control,
): Promise<void> {
  await mkdir(featuresDir(runDir), { recursive: true });
  await writeFileAtomic(examplesPath(runDir), parquet(exampleSchema, exampleRows(top, lookup, control)));
  await writeFileAtomic(latentsPath(runDir), parquet(latentSchema, latentRows(top)));
}
