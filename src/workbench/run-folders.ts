import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { jobPath } from '../run/layout.js';
import { readRunSummary } from '../run/records.js';
import { toProblem } from '../shared/errors.js';
import type { Log } from '../shared/logs.js';
import { isActive, type RunState } from '../shared/panel.js';
import { stateOfFolder } from './run-state.js';

/** Folders read at the same time. */
const readers = 16;
/** A folder younger than this may be a run that is just being made. */
const youngMs = 10_000;

interface Known {
  /** Which `job.json` it is. */
  stamp: string;
  /** Null where it cannot be read. */
  state: RunState | null;
}

export interface Look {
  runs: RunState[];
  /** Whether some of them change without this process: others train them, or a folder is just being made. */
  moving: boolean;
}

/** What lies in the runs folders. A run that nobody trains is read once, and again only when its `job.json` is another one. */
export class RunFolders {
  readonly #log: Log;
  readonly #known = new Map<string, Known>();
  /** Folders that hold a copy of another one's run. */
  readonly #copies = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** The runs in the runs folders `bases` and in the run folders `alone`, but not those in `except`. */
  async look(bases: readonly string[], alone: readonly string[], except: ReadonlySet<string>): Promise<Look> {
    const listed = await Promise.all([...new Set(bases.map((base) => path.resolve(base)))].map(subfolders));
    const dirs = [...new Set([...listed.flat(), ...alone])].filter((dir) => !except.has(dir));
    for (const dir of this.#known.keys()) if (!dirs.includes(dir)) this.#known.delete(dir);
    const found: RunState[] = [];
    const inTheMaking: string[] = [];
    await forEach(dirs, readers, async (dir) => {
      const state = await this.read(dir);
      if (state) found.push(state);
      else if (!this.#known.has(dir) && (await isYoung(dir))) inTheMaking.push(dir);
    });
    const runs = this.#withoutCopies(found);
    return { runs, moving: inTheMaking.length > 0 || runs.some(isActive) };
  }

  /** A run from its folder; null if it is no run folder, or one that cannot be read, which is logged. */
  async read(dir: string): Promise<RunState | null> {
    const file = await stat(jobPath(dir)).catch(() => null);
    if (file === null) {
      this.#known.delete(dir);
      return null;
    }
    const stamp = `${file.ino} ${file.mtimeMs} ${file.size}`;
    const known = this.#known.get(dir);
    if (known?.stamp === stamp && (known.state === null || !isActive(known.state))) return known.state;
    const state = await this.#readAnew(dir, file.mtimeMs);
    this.#known.set(dir, { stamp, state });
    return state;
  }

  async #readAnew(dir: string, changedMs: number): Promise<RunState | null> {
    try {
      return stateOfFolder(await readRunSummary(dir), changedMs);
    } catch (error) {
      this.#log('extension', 'WARNING', `A run is not shown: ${toProblem(error).message}`);
      return null;
    }
  }

  /** Of several folders with one run the one that is called by its id, as the workbench itself calls them. */
  #withoutCopies(runs: readonly RunState[]): RunState[] {
    const own = ({ id, dir }: RunState) => (path.basename(dir) === id ? 0 : 1);
    const byId = new Map<string, RunState>();
    for (const run of [...runs].sort((a, b) => own(a) - own(b) || a.dir.localeCompare(b.dir))) {
      const first = byId.get(run.id);
      if (first === undefined) byId.set(run.id, run);
      else if (!this.#copies.has(run.dir)) {
        this.#copies.add(run.dir);
        this.#log('extension', 'WARNING', `${run.dir} is a copy of ${first.dir}: only the latter is shown`);
      }
    }
    return [...byId.values()];
  }
}

async function subfolders(base: string): Promise<string[]> {
  const entries = await readdir(base, { withFileTypes: true }).catch(() => []);
  // Hidden folders are none of ours, or runs that are being deleted.
  const shown = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  return shown.map(({ name }) => path.join(base, name));
}

async function isYoung(dir: string): Promise<boolean> {
  const folder = await stat(dir).catch(() => null);
  return folder !== null && Math.abs(Date.now() - folder.mtimeMs) < youngMs;
}

/** Does something with every item, with at most so many at a time. */
async function forEach<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
