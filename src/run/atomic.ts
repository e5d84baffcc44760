import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';

export type FileData = string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

const windows = process.platform === 'win32';
const renameRetryMs = 2000;
const temporary = /^\..+\.(\d+)\.[0-9a-f]{12}\.tmp$/;

function temporaryBeside(file: string): string {
  const name = `.${path.basename(file)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  return path.join(path.dirname(file), name);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/**
 * Renames a file or folder, replacing a file that is there. Windows refuses while a virus scanner or an indexer looks at
 * either name, so there it is tried for 2 s.
 */
export async function renameReplacing(from: string, to: string): Promise<void> {
  const giveUp = Date.now() + (windows ? renameRetryMs : 0);
  for (;;) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const busy = ['EPERM', 'EACCES', 'EBUSY'].includes(codeOf(error) ?? '');
      if (!busy || Date.now() >= giveUp) throw error;
      await setTimeout(20);
    }
  }
}

/** Makes a rename or a new file in the folder survive a power cut. Windows cannot sync a folder and does not need to. */
export async function syncFolder(folder: string): Promise<void> {
  if (windows) return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot sync folders; nothing more can be done there.
    if (!['EINVAL', 'ENOTSUP', 'EBADF'].includes(codeOf(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, data: FileData): Promise<void> {
  const chunks = typeof data === 'string' || data instanceof Uint8Array ? [data] : data;
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk;
    for (let done = 0; done < bytes.byteLength;) {
      done += (await handle.write(bytes, done, bytes.byteLength - done)).bytesWritten;
    }
  }
}

/** Writes and syncs a temporary file beside `file`, hands it to `place` and leaves no temporary file behind. */
async function throughTemporary(
  file: string,
  data: FileData,
  place: (temp: string, timeMs: number) => Promise<void>,
  mode?: number,
): Promise<void> {
  const temp = temporaryBeside(file);
  try {
    const handle = await open(temp, 'wx', mode);
    let timeMs: number;
    try {
      await writeAll(handle, data);
      await handle.sync();
      timeMs = (await handle.stat()).mtimeMs;
    } finally {
      await handle.close();
    }
    await place(temp, timeMs);
  } finally {
    await rm(temp, { force: true });
  }
}

/**
 * Writes a whole file: readers see the old contents or the new, never something between, and after a power cut too.
 * Chunks are written as they come, so that large files need no second copy in memory. `mode`: the permissions of the file,
 * from its first byte on.
 * @throws the file system's error (ENOSPC, EACCES, …) or whatever `data` throws; the old file is then untouched.
 */
export async function writeFileAtomic(file: string, data: FileData, mode?: number): Promise<void> {
  await throughTemporary(file, data, (temp) => renameReplacing(temp, file), mode);
  await syncFolder(path.dirname(file));
}

/**
 * Writes a whole file unless one of that name is there already: of several processes exactly one creates it.
 * `timeMs` is the present by the file system's own clock, comparable with other files' `mtimeMs` there.
 */
export async function createFileExclusive(file: string, data: string): Promise<{ created: boolean; timeMs: number }> {
  let result = { created: false, timeMs: 0 };
  await throughTemporary(file, data, async (temp, timeMs) => {
    result = { created: await linkOrCreate(temp, file, data), timeMs };
  });
  return result;
}

async function linkOrCreate(temp: string, file: string, data: string): Promise<boolean> {
  try {
    await link(temp, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    // FAT and some network shares have no hard links: there the file is visible for an instant before its contents.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'].includes(codeOf(error) ?? '')) throw error;
  }
  try {
    const handle = await open(file, 'wx');
    try {
      await writeAll(handle, data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Whether a name in a folder is that of a file in the making. */
export function isTemporary(name: string): boolean {
  return temporary.test(name);
}

/** Removes the temporary files that killed processes left in a folder; those of living processes stay. */
export async function sweepTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = temporary.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(path.join(folder, name), { force: true });
  }
}

/** Whether a process of this host exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Makes a folder and what is missing above it; returns what it made, outermost first. (Node's own recursive `mkdir` never
 * returns where a file system answers ENOENT below a folder that exists, as /proc does.)
 * @throws the file system's error; ENOTDIR if a file is in the way. Nothing is then left behind.
 */
export async function makeFolders(folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = path.resolve(folder); !(await isFolder(at)); at = path.dirname(at)) missing.unshift(at);
  const made: string[] = [];
  try {
    for (const each of missing) {
      await mkdir(each).then(
        () => made.push(each),
        (error: unknown) => {
          if (codeOf(error) !== 'EEXIST') throw error;
        },
      );
    }
  } catch (error) {
    for (const each of made.reverse()) await rmdir(each).catch(() => undefined);
    throw error;
  }
  return made;
}

async function isFolder(file: string): Promise<boolean> {
  try {
    if ((await stat(file)).isDirectory()) return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && file !== path.dirname(file)) return false;
    throw error;
  }
  throw Object.assign(new Error(`ENOTDIR: ${file} is not a folder`), { code: 'ENOTDIR', path: file });
}
