import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { makeFolders } from '../../run/atomic.js';
import { RunLock } from '../../run/lock.js';
import { WorkbenchError } from '../../shared/errors.js';

/** Log folders have one writer each. This process's own: the folder asked for, or the first free one of `2/`, `3/` … in it. */
export interface LogFolder {
  dir: string;
  lock: RunLock;
  /** True if another process writes the folder asked for. */
  shared: boolean;
}

/**
 * Takes a log folder. `onLost` is called if it is taken over because this process was stopped for a while.
 * @throws the file system's error if the folder cannot be made or written.
 */
export async function takeLogFolder(base: string, onLost: () => void): Promise<LogFolder> {
  for (let writer = 1; ; writer++) {
    const dir = writer === 1 ? base : path.join(base, String(writer));
    await makeFolders(dir);
    try {
      return { dir, lock: await RunLock.acquire(dir, onLost), shared: writer > 1 };
    } catch (error) {
      if (!(error instanceof WorkbenchError && error.problem.code === 'run_in_use')) throw error;
    }
  }
}

/** The folder and those in it that further writers took, in the order of their numbers. @throws the file system's error. */
export async function writersFolders(base: string): Promise<string[]> {
  const numbers = (await readdir(base)).filter((name) => /^[1-9]\d{0,5}$/.test(name) && name !== '1');
  return [base, ...numbers.sort((a, b) => Number(a) - Number(b)).map((name) => path.join(base, name))];
}
