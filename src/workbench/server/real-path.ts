import type { BigIntStats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** Where a path really leads. */
export interface RealPath {
  /** The nearest part of it that exists, without links. */
  existing: string;
  /** What of it does not exist: names below `existing`. */
  missing: string[];
}

export const fullPath = ({ existing, missing }: RealPath) => path.join(existing, ...missing);

const absent: readonly unknown[] = ['ENOENT', 'ENOTDIR'];

/** Follows every link in an absolute path. @throws the file system's error; ENOENT for a link that leads nowhere. */
export async function realPath(absolute: string): Promise<RealPath> {
  const missing: string[] = [];
  for (let at = absolute; ; at = path.dirname(at)) {
    try {
      return { existing: await realpath(at), missing: missing.reverse() };
    } catch (error) {
      if (!absent.includes((error as NodeJS.ErrnoException).code) || (await isThere(at))) throw error;
      if (at === path.dirname(at)) throw error;
    }
    missing.push(path.basename(at));
  }
}

async function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

/**
 * The names that lead from a folder to a path that is in it (none: it is the folder itself); null where it is not in it.
 * Folders are compared by what they are, so that it is the file system that decides whether case matters in names.
 */
export async function namesWithin(folder: RealPath, inner: RealPath): Promise<string[] | null> {
  const whole = fullPath(folder);
  const target = fullPath(inner);
  const names = (above: string) => target.slice(above.length).split(path.sep).filter(Boolean);
  const above = ancestors(target);
  if (above.includes(whole)) return names(whole);
  const home = folder.missing.length === 0 ? await identity(folder.existing) : null;
  if (home === null) return null;
  for (const at of above) if ((await identity(at)) === home) return names(at);
  return null;
}

/** A path and every folder that it is in, inner ones first. */
function ancestors(file: string): string[] {
  const found = [file];
  for (let at = file; at !== path.dirname(at); at = path.dirname(at)) found.push(path.dirname(at));
  return found;
}

/** What a folder is called by its file system; null where that does not tell. */
async function identity(folder: string): Promise<string | null> {
  const { dev, ino }: Pick<BigIntStats, 'dev' | 'ino'> = await stat(folder, { bigint: true }).catch(() => ({
    dev: 0n,
    ino: 0n,
  }));
  return ino === 0n ? null : `${dev} ${ino}`;
}
