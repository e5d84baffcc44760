import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Control } from '../src/engine/control.js';
import { openModel, tokenize, type OpenedModel } from '../src/engine/data/language-data.js';
import { Progress } from '../src/engine/progress.js';
import type { Contexts } from '../src/engine/text/contexts.js';
import type { SaeConfig } from '../src/shared/config.js';

/** The engine's program as built: what people run. */
export const enginePath = path.join(__dirname, '..', 'dist', 'engine.js');
export const cliPath = path.join(__dirname, '..', 'dist', 'cli.js');

export interface OpenedDemo {
  opened: OpenedModel;
  contexts: Contexts;
}

/** Runs `work` with a folder of its own, which is removed afterwards. */
export async function inFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), 'iw-bench-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Runs `work` with a configuration's model, in this process, and its text tokenised. */
export function withDemo<T>(config: SaeConfig, threads: number, work: (demo: OpenedDemo) => Promise<T>): Promise<T> {
  return inFolder(async (dir) => {
    const opened = await openModel(config, threads);
    try {
      const progress = new Progress(() => undefined);
      const contexts = await tokenize(config, opened, { dir, control: new Control(), progress });
      try {
        return await work({ opened, contexts });
      } finally {
        contexts.close();
      }
    } finally {
      await opened.model.dispose();
    }
  });
}
