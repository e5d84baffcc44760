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

/**
 * Checks that a run can go on: the same settings on the same data. Files may have moved, so their hashes count, not their names.
 * @throws WorkbenchError `resume_mismatch` naming what differs.
 */
export function checkSameRun(saved: SaeConfig, now: SaeConfig): void {
  const hint = 'Resume with what the run was started with, or start a new run in another folder.';
  const before = inputHashes(saved);
  const after = inputHashes(now);
  for (const [name, hash] of Object.entries(after)) {
    if (before[name] === hash) continue;
    throw inputError('resume_mismatch', `The ${name} is not the one this run was started with.`, hint, name);
  }
  for (const key of new Set([...Object.keys(saved), ...Object.keys(now)]) as Set<keyof SaeConfig>) {
    if (free.includes(key) || JSON.stringify(saved[key]) === JSON.stringify(now[key])) continue;
    const sentence = `${key} is ${JSON.stringify(now[key])}, but the run was started with ${JSON.stringify(saved[key])}.`;
    throw inputError('resume_mismatch', sentence, hint, key);
  }
}

/** The hashes in `provenance.inputs`, one string per kind of input. */
function inputHashes({ provenance }: SaeConfig): Record<string, string> {
  const inputs = (provenance?.inputs ?? {}) as Record<string, { sha256: string } | { sha256: string }[]>;
  const entries = Object.entries(inputs).map(([name, files]) => [
    name,
    [files]
      .flat()
      .map((file) => file.sha256)
      .join(),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}
