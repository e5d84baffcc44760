import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';

const settleMs = 200;

interface Watched {
  /** The folder that is really watched: the nearest one that exists, and which one it was. */
  target: string;
  inode: number;
  watcher: FSWatcher;
}

/**
 * Tells when something came into or left some folders, as far as the system tells: where it does not (a network share, no
 * watch left), nothing happens. A folder that does not exist yet is waited for.
 */
export class FolderWatch {
  readonly #onChange: () => void;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Watches these folders from now on, and looks anew at what of them exists. One call at a time. */
  async watch(folders: readonly string[]): Promise<void> {
    const wanted = new Set(folders.map((folder) => path.resolve(folder)));
    for (const folder of this.#watched.keys()) if (!wanted.has(folder)) this.#close(folder);
    for (const folder of wanted) {
      const found = await nearestFolder(folder);
      const now = this.#watched.get(folder);
      if (now?.target === found?.target && now?.inode === found?.inode) continue;
      this.#close(folder);
      if (found && !this.#disposed) this.#open(folder, found);
    }
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    for (const folder of this.#watched.keys()) this.#close(folder);
  }

  #open(folder: string, { target, inode }: { target: string; inode: number }): void {
    const [next = ''] = path.relative(target, folder).split(path.sep);
    try {
      const watcher = watch(target, { persistent: false }, (_, name) => {
        // Above the folder only the way to it is of interest.
        if (next === '' || name === null || name === next || name === path.basename(target)) this.#changed();
      });
      watcher.on('error', () => {
        this.#close(folder);
      });
      this.#watched.set(folder, { target, inode, watcher });
    } catch {
      // The system has no watch left, or none for this kind of folder.
    }
  }

  #close(folder: string): void {
    this.#watched.get(folder)?.watcher.close();
    this.#watched.delete(folder);
  }

  /** Changes come in bursts: they are told once they have settled. */
  #changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onChange, settleMs).unref();
  }
}

async function nearestFolder(folder: string): Promise<{ target: string; inode: number } | null> {
  for (let target = folder; ; target = path.dirname(target)) {
    const found = await stat(target).catch(() => null);
    if (found?.isDirectory()) return { target, inode: found.ino };
    if (target === path.dirname(target)) return null;
  }
}
