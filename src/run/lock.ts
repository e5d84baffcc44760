import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { inputError, type WorkbenchError } from '../shared/errors.js';
import { createFileExclusive, isAlive, renameReplacing } from './atomic.js';
import { lockPath } from './layout.js';

/** Who holds a folder. */
export interface LockOwner {
  host: string;
  pid: number;
  /** Random, never used twice: it names this holding of this lock. */
  id: string;
  /** Of the last refresh, ISO 8601, always equally long. */
  time: string;
}

const refreshMs = 5000;
const staleMs = 20_000;

interface Link {
  file: string;
  owner: LockOwner;
  mtimeMs: number;
}

/** What is seen of a lock whose contents cannot be read, e.g. in the instant before they are written. */
const unreadable: LockOwner = { host: '', pid: 0, id: 'unreadable', time: '' };

function parseOwner(text: string): LockOwner {
  try {
    const { host, pid, id, time } = JSON.parse(text) as Partial<LockOwner>;
    if (typeof host === 'string' && typeof pid === 'number' && typeof time === 'string') {
      if (typeof id === 'string' && /^[\w-]+$/.test(id)) return { host, pid, id, time };
    }
  } catch {
    return unreadable;
  }
  return unreadable;
}

const serialize = (owner: LockOwner) => `${JSON.stringify(owner)}\n`;
const present = () => new Date().toISOString();

/**
 * The right to write a folder, held by at most one process.
 *
 * A free lock is taken by creating the file `lock`, a stale one with id X by creating `lock.X`: both exist at most once, so
 * of any number of processes one succeeds, and no process ever deletes a file that another one may have just created. Who
 * holds the lock is the end of the chain `lock` → `lock.X` → …; the winner then renames its file to `lock`. Whoever worked
 * on an outdated view of the chain finds out by walking it again.
 */
export class RunLock {
  readonly #file: string;
  readonly #onLost: () => void;
  readonly #timer: NodeJS.Timeout;
  #owner: LockOwner;
  #state: 'held' | 'lost' | 'released' = 'held';

  private constructor(file: string, owner: LockOwner, onLost: () => void) {
    this.#file = file;
    this.#owner = owner;
    this.#onLost = onLost;
    this.#timer = setInterval(() => void this.refresh(), refreshMs).unref();
  }

  /**
   * Takes the lock of an existing folder. `onLost` is called if another process took it over because this one was stopped
   * for longer than 20 s (a suspended machine): then nothing more may be written.
   * @throws WorkbenchError `run_in_use` naming the owner.
   */
  static async acquire(dir: string, onLost: () => void = () => undefined): Promise<RunLock> {
    const file = lockPath(dir);
    const owner: LockOwner = { host: hostname(), pid: process.pid, id: randomUUID(), time: present() };
    for (;;) {
      const root = await createFileExclusive(file, serialize(owner));
      if (!root.created) {
        const end = (await walk(file)).at(-1);
        if (end === undefined) continue;
        if (isHeld(end, root.timeMs)) throw runInUse(dir, end.owner);
        const claim = `${file}.${end.owner.id}`;
        if (!(await createFileExclusive(claim, serialize(owner))).created) continue;
        if ((await walk(file)).at(-1)?.owner.id !== owner.id) {
          await rm(claim, { force: true });
          continue;
        }
        await renameReplacing(claim, file);
      }
      await removeClaims(file, owner.id);
      return new RunLock(file, owner, onLost);
    }
  }

  /** Who holds a folder at this moment, or null. */
  static async owner(dir: string): Promise<LockOwner | null> {
    const end = (await walk(lockPath(dir))).at(-1);
    return end !== undefined && isHeld(end, Date.now()) ? end.owner : null;
  }

  get lost(): boolean {
    return this.#state === 'lost';
  }

  /** Shows that the holder lives, and notices if the lock is no longer its own. Runs by itself every 5 s. */
  async refresh(): Promise<void> {
    if (this.#state !== 'held') return;
    try {
      const end = (await walk(this.#file)).at(-1);
      if (end === undefined) {
        // Somebody deleted the file or the whole folder: whoever creates it again first has it.
        await createFileExclusive(this.#file, serialize(this.#owner));
      } else if (end.owner.id === this.#owner.id) {
        this.#owner = { ...this.#owner, time: present() };
        const handle = await open(end.file, 'r+');
        await handle.write(serialize(this.#owner), 0).finally(() => handle.close());
      } else if (end.owner.id !== unreadable.id) {
        this.#lose();
      }
    } catch {
      // A full or vanished disk: the next refresh tries again, and if none succeeds the lock goes stale as it should.
    }
  }

  /** Gives the lock back. Synchronous, so that it can be done while a process exits. */
  release(): void {
    if (this.#state !== 'held') return;
    this.#state = 'released';
    clearInterval(this.#timer);
    try {
      const taken = readdirSync(path.dirname(this.#file)).includes(path.basename(`${this.#file}.${this.#owner.id}`));
      if (!taken && parseOwner(readFileSync(this.#file, 'utf8')).id === this.#owner.id) rmSync(this.#file);
    } catch {
      // Gone already, or the folder is.
    }
  }

  #lose(): void {
    if (this.#state !== 'held') return;
    this.#state = 'lost';
    clearInterval(this.#timer);
    this.#onLost();
  }
}

/** The files of a lock from `lock` to the one whose owner holds it; empty if it is free. */
async function walk(file: string): Promise<Link[]> {
  const chain: Link[] = [];
  for (let next = file; ;) {
    let link: Link;
    try {
      const [text, { mtimeMs }] = await Promise.all([readFile(next, 'utf8'), stat(next)]);
      link = { file: next, owner: parseOwner(text), mtimeMs };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return chain;
      throw error;
    }
    if (chain.some(({ owner }) => owner.id === link.owner.id)) return chain;
    chain.push(link);
    next = `${file}.${link.owner.id}`;
  }
}

/** Whether an owner still holds its lock at `now`: its process is not known to be gone and it refreshed lately. */
function isHeld({ owner, mtimeMs }: Link, now: number): boolean {
  if (owner.host === hostname() && !isAlive(owner.pid)) return false;
  return Math.abs(now - mtimeMs) < staleMs;
}

/** Removes what takeovers that failed or were interrupted left behind. */
async function removeClaims(file: string, holder: string): Promise<void> {
  const prefix = `${path.basename(file)}.`;
  const names = (await readdir(path.dirname(file))).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    if (name !== prefix + holder) await rm(path.join(path.dirname(file), name), { force: true });
  }
}

/** The problem of whoever wants a folder that another process holds. */
export function runInUse(dir: string, { host, pid, time }: LockOwner): WorkbenchError {
  const who = host === '' ? 'another process' : `process ${pid} on ${host}, last seen ${time}`;
  const hint = 'Wait until it has finished, stop it, or choose another folder.';
  return inputError('run_in_use', `${dir} is in use by ${who}.`, hint, 'output_dir');
}
