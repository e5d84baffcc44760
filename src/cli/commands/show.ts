import path from 'node:path';
import { inputError } from '../../shared/errors.js';
import { Features, type LatentSummary } from '../../workbench/features.js';
import { readMetrics, readRun } from '../../workbench/runs.js';
import { exitCodes } from '../exit.js';
import { commandLine, shortest } from '../invocation.js';
import { featureLines, mostTelling } from '../terminal/features.js';
import { paintFor } from '../terminal/paint.js';
import { storyLines } from '../terminal/story.js';

export interface ShowOptions {
  features?: true | string;
  latent?: string[];
}

const usualFeatures = 10;

/** `iw show RUN_DIR` */
export async function show(given: string, options: ShowOptions): Promise<number> {
  const dir = path.resolve(given);
  const run = await readRun(dir);
  const width = process.stdout.columns || 100;
  const resume = commandLine('train', '--resume', shortest(dir));
  const lines = wantsFeatures(options)
    ? await features(dir, options, width)
    : storyLines(run, await readMetrics(dir), resume, width);
  process.stdout.write(`${lines.join('\n')}\n`);
  return exitCodes.done;
}

function wantsFeatures({ features, latent }: ShowOptions): boolean {
  return features !== undefined || latent !== undefined;
}

async function features(dir: string, options: ShowOptions, width: number): Promise<string[]> {
  const table = await Features.open(dir);
  const chosen = options.latent
    ? options.latent.map((latent) => summaryOf(table, latent))
    : mostTelling(table.summaries, countOf(options.features));
  const paint = paintFor(process.stdout);
  const paragraphs: string[][] = [];
  for (const summary of chosen) {
    const examples = await table.examples(summary.latent);
    paragraphs.push([...featureLines(summary, examples, width, paint), '']);
  }
  return paragraphs.length > 0 ? paragraphs.flat() : ['No feature fired often enough to be told apart.'];
}

function countOf(given: true | string | undefined): number {
  if (given === undefined || given === true) return usualFeatures;
  const count = Number(given);
  if (Number.isInteger(count) && count >= 1) return count;
  throw inputError(
    'config_invalid',
    `--features is "${given}", expected a whole number.`,
    'For example: --features 20',
  );
}

function summaryOf(table: Features, given: string): LatentSummary {
  const summary = /^\d+$/.test(given) ? table.summaries[Number(given)] : undefined;
  if (summary) return summary;
  const most = table.summaries.length - 1;
  throw inputError('config_invalid', `There is no latent ${given}.`, `This run has the latents 0 to ${most}.`);
}
