import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import path from 'node:path';
import { newestCheckpoint } from '../../src/run/layout.js';
import type { MetricsLine } from '../../src/run/records.js';
import type { SaeConfig } from '../../src/shared/config.js';
import { longRun, smallRun } from '../workbench/small-run.js';
import type { Session } from './session.js';
import type { Card, EditorWindow } from './window.js';

/** A run of some ten seconds, which can be resumed from where it was half a second ago. */
export const resumableRun: SaeConfig = { ...smallRun, max_epochs: 1000, checkpoint_seconds: 0.5 };
/** A run that does not end by itself within a test. */
export const endlessRun: SaeConfig = { ...longRun, checkpoint_seconds: 0.5 };
export { smallRun };

export interface Training {
  folder: string;
  window: EditorWindow;
  card: Card;
}

/**
 * Opens a folder with `<name>.sae.json` in it and trains it by the command for that. `others`: more such files, by name; VS
 * Code may miss a file that comes right after a window has opened.
 */
export async function train(
  session: Session,
  config: SaeConfig,
  name = 'tiny',
  others: Record<string, SaeConfig> = {},
): Promise<Training> {
  const folder = session.folder();
  const file = writeConfig(folder, config, name);
  for (const [other, its] of Object.entries(others)) writeConfig(folder, its, other);
  const window = await session.open(folder);
  await window.openFile(file);
  await window.run('Train SAE from This File');
  return { folder, window, card: window.card(name) };
}

/** Writes the configuration of a run with this name; the file's name. */
export function writeConfig(folder: string, config: SaeConfig, name: string): string {
  const file = `${name}.sae.json`;
  writeFileSync(path.join(folder, file), JSON.stringify({ ...config, name }, null, 2));
  return file;
}

/** The folder of the only run in a workspace. */
export function runFolder(folder: string): string {
  const runs = path.join(folder, '.interpretability', 'runs');
  const [only] = readdirSync(runs, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return path.join(runs, only!.name);
}

/** The lines of a run's `metrics.jsonl` that are whole. */
export function metricsLines(runFolder: string): Pick<MetricsLine, 'step' | 'epoch' | 'tokens'>[] {
  const lines = readFileSync(path.join(runFolder, 'metrics.jsonl'), 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as MetricsLine);
}

/** Resolves when the run has a checkpoint. Its folder changes with every `job.json`, every 2 s. */
export async function untilCheckpoint(runFolder: string): Promise<void> {
  const ended = new AbortController();
  const changes = watch(runFolder, { signal: ended.signal });
  try {
    while ((await newestCheckpoint(runFolder)) === null) await changes[Symbol.asyncIterator]().next();
  } finally {
    ended.abort();
  }
}
