import { opendir } from 'node:fs/promises';
import path from 'node:path';
import { realPath, type RealPath } from './real-path.js';

/** Most entries of a folder that a request names. */
const mostEntries = 50_000;

/**
 * What in a folder, at any depth, could lead out of where requests may name files, as the end of a sentence; null if nothing
 * does. Links to folders are not followed, but where they lead is looked at. Links that lead nowhere are nothing to read.
 */
export async function linkOut(
  folder: string,
  allowed: (target: RealPath) => Promise<boolean>,
  most = mostEntries,
): Promise<string | null> {
  const folders = [folder];
  let left = most;
  for (let dir = folders.pop(); dir !== undefined; dir = folders.pop()) {
    const entries = await opendir(dir).catch(() => null);
    if (entries === null) return `holds a folder that cannot be read: ${dir}`;
    for await (const entry of entries) {
      if (--left < 0) return `holds more than ${most} files`;
      const file = path.join(dir, entry.name);
      if (entry.isDirectory()) folders.push(file);
      else if (entry.isSymbolicLink()) {
        const target = await realPath(file).catch(() => null);
        if (target !== null && !(await allowed(target))) return `holds a link that leads out: ${file}`;
      }
    }
  }
  return null;
}
