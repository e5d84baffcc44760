import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import type { SaeConfig } from '../../src/shared/config.js';

export const root = path.resolve(__dirname, '..', '..');
/** The built engine; `npm test` builds it first. */
export const enginePath = path.join(root, 'dist', 'engine.js');

/** A run of a second or two on a real, tiny model. */
export const smallRun: SaeConfig = {
  model: path.join(root, 'test', 'fixtures', 'tiny-sotu-gpt2'),
  text: ['bundled:sample'],
  layer_idx: 0,
  max_samples: 3,
  max_epochs: 3,
  latent_dim: 64,
  k: 4,
  batch_size: 128,
  cross_entropy_tokens: 256,
  threads: 1,
};

/** The same, but it does not end by itself within a test. */
export const longRun: SaeConfig = { ...smallRun, max_epochs: 100_000 };

/** A folder that is removed when the test file has ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'iw-workbench-'));
  after(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  return folder;
}
