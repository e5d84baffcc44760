import { randomUUID } from 'node:crypto';
import { readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inputError, toProblem, WorkbenchError } from '../shared/errors.js';
import { createFileExclusive, isTemporary, makeFolders } from '../run/atomic.js';
import { jobPath } from '../run/layout.js';
import { RunLock, runInUse } from '../run/lock.js';
import { serializeJob, type JobRecord } from '../run/records.js';

export * from '../run/layout.js';
export {
  readJob,
  readMetrics,
  readRun,
  readRunSummary,
  type JobRecord,
  type MetricsLine,
  type Run,
  type RunSummary,
} from '../run/records.js';

/** Where runs go that were given no folder: under the current folder. */
export const defaultRunsFolder = () => path.resolve('.interpretability', 'runs');

export const newJobId = (): string => randomUUID();

/** Undoes what claiming a run folder made. */
export type Unclaim = () => Promise<void>;

/**
 * Makes a new run folder of a job and writes its first `job.json`; of several processes exactly one gets a folder. In the
 * runs folder (`base`) the folder is called by the job's id; git is told to leave a runs folder alone
 * that was empty before.
 * @throws WorkbenchError `output_unusable` (not writable, not empty), `run_in_use`, `disk_full`; nothing is then left behind.
 */
export async function claimRunDir(dir: string, record: JobRecord, base?: string): Promise<Unclaim> {
  const made: string[] = [];
  try {
    if (base !== undefined) await makeRunsFolder(base, made);
    made.push(...(await makeFolders(dir)));
    await refuseUsed(dir);
    const { created } = await createFileExclusive(jobPath(dir), serializeJob(record));
    if (!created) throw notEmpty(dir);
  } catch (error) {
    await unmake(made);
    throw error instanceof WorkbenchError ? error : unusable(dir, error);
  }
  return async () => {
    for (const name of await readdir(dir)) await rm(path.join(dir, name), removal);
    await unmake(made);
  };
}

/** Windows cannot remove what a virus scanner looks at: worth a few tries. */
const removal = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 } as const;

async function makeRunsFolder(base: string, made: string[]): Promise<void> {
  made.push(...(await makeFolders(base)));
  // A folder with something in it may hold more than runs.
  if ((await readdir(base)).length > 0) return;
  const ignore = path.join(base, '.gitignore');
  try {
    await writeFile(ignore, '*\n', { flag: 'wx' });
    made.push(ignore);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Removes what was made, innermost first, as far as nobody has put anything else there meanwhile. */
async function unmake(made: readonly string[]): Promise<void> {
  try {
    for (const each of [...made].reverse()) {
      if (path.basename(each) !== '.gitignore') await rmdir(each);
      else if ((await readdir(path.dirname(each))).length === 1) await rm(each);
    }
  } catch {
    // In use by another run, or gone: either way not ours to remove.
  }
}

async function refuseUsed(dir: string): Promise<void> {
  // Others may be claiming the folder at this moment; which of them gets it is decided by who creates job.json.
  const names = (await readdir(dir)).filter((name) => !isTemporary(name));
  if (names.length === 0) return;
  const owner = await RunLock.owner(dir);
  if (owner !== null) throw runInUse(dir, owner);
  throw notEmpty(dir);
}

function notEmpty(dir: string): WorkbenchError {
  const hint = 'Choose a new or an empty folder, or resume the run that is in it.';
  return inputError('output_unusable', `The output folder ${dir} is not empty.`, hint, 'output_dir');
}

function unusable(dir: string, error: unknown): WorkbenchError {
  const problem = toProblem(error);
  if (problem.code === 'disk_full') return inputError('disk_full', problem.message, 'Free some space.', 'output_dir');
  const { code } = error as NodeJS.ErrnoException;
  const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in its place' : (code ?? problem.message);
  const hint = 'Choose an output folder that can be written.';
  return inputError('output_unusable', `The output folder ${dir} cannot be written (${why}).`, hint, 'output_dir');
}
