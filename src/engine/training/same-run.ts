import type { SaeConfig } from '../../shared/config.js';
import { inputError } from '../../shared/errors.js';

/** What may be another at a resume: none of it changes a single weight. */
const free: readonly (keyof SaeConfig)[] = [
  '$schema',
  'name',
  'model',
  'text',
  'activation_data_path',
  'output_dir',
  'checkpoint_seconds',
  'log_every_steps',
  'evaluation_tokens',
  'cross_entropy_tokens',
  'feature_tokens',
  'threads',
  'provenance',
];

/** What a run was made from: hashes of its files, kept in `provenance.inputs`. Files may have moved, so names do not count. */
export type Inputs = Record<string, { sha256: string } | { sha256: string }[]>;

const hint = 'Resume with what the run was started with, or start a new run in another folder.';

/**
 * Checks that a run can go on with these files.
 * @throws WorkbenchError `resume_mismatch` naming what differs.
 */
export function checkSameInputs({ provenance }: SaeConfig, now: Inputs): void {
  const before = hashes((provenance?.inputs ?? {}) as Inputs);
  for (const [name, hash] of Object.entries(hashes(now))) {
    if (before[name] === hash) continue;
    throw inputError('resume_mismatch', `The ${name} is not the one this run was started with.`, hint, name);
  }
}

/**
 * Checks that a run can go on with these settings.
 * @throws WorkbenchError `resume_mismatch` naming what differs.
 */
export function checkSameSettings(saved: SaeConfig, now: SaeConfig): void {
  for (const key of new Set([...Object.keys(saved), ...Object.keys(now)]) as Set<keyof SaeConfig>) {
    if (free.includes(key) || JSON.stringify(saved[key]) === JSON.stringify(now[key])) continue;
    const sentence = `${key} is ${JSON.stringify(now[key])}, but the run was started with ${JSON.stringify(saved[key])}.`;
    throw inputError('resume_mismatch', sentence, hint, key);
  }
}

/** One string per kind of input. */
function hashes(inputs: Inputs): Record<string, string> {
  const entries = Object.entries(inputs).map(([name, files]) => [
    name,
    [files]
      .flat()
      .map((file) => file.sha256)
      .join(),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}
