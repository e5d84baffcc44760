import type { SaeConfig } from '../../shared/config.js';
import type { Control } from '../control.js';
import { contextsOf, textFiles, type OpenedModel } from '../data/language-data.js';
import { Random } from '../random.js';
import type { Contexts } from '../text/contexts.js';
import { documents, type Document, type TextFile } from '../text/documents.js';
import { dataDefaults } from '../../shared/defaults.js';
import type { Amounts } from './amounts.js';

/** How long a text is read to estimate how much of it there is, in milliseconds; a short one is read whole. */
const sampleMs = 500;

export interface TextSample {
  contexts: Contexts;
  amounts: Amounts;
  /** Tokenising all of the text. */
  seconds: number;
}

/** Tokenises as much of a configuration's text as can be done in half a second, and tells from it how much there is in all. */
export async function sampleText(
  config: SaeConfig,
  opened: OpenedModel,
  dir: string,
  control: Control,
): Promise<TextSample> {
  const files = textFiles(config);
  const read = { part: 0 };
  // The first documents of a limited number have to be the first; else no one file should stand for all.
  const order = config.max_samples === undefined ? shuffled(files, config.seed ?? dataDefaults.seed) : files;
  const some = firstOf(documents(order, { maxDocuments: config.max_samples }), read);
  const start = performance.now();
  const contexts = await contextsOf(some, config, opened, { dir, control });
  const seconds = (performance.now() - start) / 1000 / read.part;
  return { contexts, seconds, amounts: amountsOf(contexts, read.part, config) };
}

function amountsOf(contexts: Contexts, part: number, config: SaeConfig): Amounts {
  const { trainRows, heldOutRows, tokens } = contexts;
  if (part === 1) return { train: trainRows, heldOut: heldOutRows, exact: true, textTokens: tokens };
  const rows = (trainRows + heldOutRows) / part;
  // whole documents are held out: of a few of them hardly ever the part that it will be of all
  const heldOut = Math.round(rows * (config.held_out_fraction ?? dataDefaults.held_out_fraction));
  return { train: Math.round(rows) - heldOut, heldOut, exact: false, textTokens: Math.round(tokens / part) };
}

/** Documents until the time is up; `read.part` becomes the part of all that they are. */
async function* firstOf(all: AsyncIterable<Document>, read: { part: number }): AsyncGenerator<Document> {
  const end = performance.now() + sampleMs;
  for await (const document of all) {
    yield document;
    read.part = document.done;
    if (performance.now() >= end) return;
  }
  read.part = 1;
}

function shuffled(files: readonly TextFile[], seed: number): TextFile[] {
  const random = new Random(seed, 'sample of the text');
  const keys = new Map(files.map((file) => [file, random.float()]));
  return [...files].sort((a, b) => keys.get(a)! - keys.get(b)!);
}
