import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { inputError } from '../../shared/errors.js';
import { bytesPerValue, type StoreType } from './shard.js';

/** Bytes that recorded activations of this size take on disk. */
export function bytesNeeded(rows: number, width: number, dtype: StoreType): number {
  return rows * width * bytesPerValue[dtype];
}

/** Bytes free for us on the file system of `path`, which need not exist yet. */
export async function bytesFree(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(resolve(path));
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === resolve(path)) throw error;
    return bytesFree(parent);
  }
}

/** Bytes for a person: `1.3 GB`. Powers of 1000, as disks are sold and `df -H` counts. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let power = 0;
  let amount = bytes;
  while (amount >= 999.5 && power < units.length - 1) {
    amount /= 1000;
    power++;
  }
  return `${Number(amount.toPrecision(3))} ${units[power]!}`;
}

/**
 * Refuses work that cannot fit on the disk, before it starts.
 *
 * @throws WorkbenchError `disk_full` that says what is needed and what is free.
 */
export async function checkDiskSpace(
  dir: string,
  bytes: number,
  hint = 'Free some space, choose an output_dir elsewhere, or set activation_cache to float16 (half of it) or none.',
  field = 'activation_cache',
): Promise<void> {
  const free = await bytesFree(dir);
  if (bytes <= free) return;
  const sentence = `The activations need ${formatBytes(bytes)}, but only ${formatBytes(free)} are free in ${dir}.`;
  throw inputError('disk_full', sentence, hint, field);
}
