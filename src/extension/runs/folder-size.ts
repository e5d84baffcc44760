import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** Bytes of all files in a folder and the folders in it. What vanishes meanwhile counts nothing. */
export async function folderBytes(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(unlessGone([]));
  let total = 0;
  for (const entry of entries) {
    if (entry.isFile()) total += await bytesOf(path.join(entry.parentPath, entry.name));
  }
  return total;
}

const bytesOf = async (file: string) => (await stat(file).catch(unlessGone({ size: 0 }))).size;

const unlessGone =
  <T>(instead: T) =>
  (error: unknown): T => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return instead;
    throw error;
  };
