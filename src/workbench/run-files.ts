import { createReadStream } from 'node:fs';
import { access, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { isAlive, makeFolders, renameReplacing, writeFileAtomic } from '../run/atomic.js';
import { saeLensConfigPath, weightsPath } from '../run/layout.js';
import { RunLock } from '../run/lock.js';
import { readJob } from '../run/records.js';
import { failure, inputError, toProblem, WorkbenchError } from '../shared/errors.js';

/** What a person does to the folder of a run that nobody trains. */

/** A folder on its way out; its name says which process removes it. */
const leaving = /^\.deleted-(\d+)-/;

/** Windows cannot remove what a virus scanner looks at: worth a few tries. */
const removal = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 } as const;

/** Takes a folder away: for good, or to where a person can bring it back from. */
export type Remove = (dir: string) => Promise<void>;

/**
 * Deletes a run folder.
 * @throws WorkbenchError `run_unreadable` (no run folder), `run_in_use`, `output_unusable`; the run is then still there.
 */
export async function deleteRun(dir: string, remove: Remove = removeForGood): Promise<void> {
  await readJob(dir);
  const lock = await RunLock.acquire(dir);
  try {
    await remove(dir);
  } catch (error) {
    throw unusable(`The run in ${dir} cannot be deleted`, error);
  } finally {
    // Where the folder is gone, its lock went with it.
    lock.release();
  }
}

/**
 * Renames the folder first, so that whatever happens no half of it looks like a run. What is left of it, if the process
 * ends meanwhile, is removed with the next run that is deleted beside it.
 */
async function removeForGood(dir: string): Promise<void> {
  const { base, dir: folder } = path.parse(path.resolve(dir));
  const doomed = path.join(folder, `.deleted-${process.pid}-${base}`);
  await renameReplacing(dir, doomed);
  await rm(doomed, removal).catch(() => undefined);
  for (const name of await readdir(folder)) {
    const pid = leaving.exec(name)?.[1];
    const left = pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid)));
    if (left) await rm(path.join(folder, name), removal).catch(() => undefined);
  }
}

export interface ExportOptions {
  /** Replace the files of an SAE that is there already. */
  overwrite?: boolean;
}

/**
 * Copies a finished run's SAE, in SAELens's format (`cfg.json` and `sae_weights.safetensors`), into the folder `target`, which
 * is made if it is missing. `SAE.load_from_disk` opens it there.
 * @throws WorkbenchError `run_unreadable` (not finished), `output_unusable` (not writable, or an SAE is there already),
 * `disk_full`. No file is ever half-written.
 */
export async function exportSae(dir: string, target: string, { overwrite = false }: ExportOptions = {}): Promise<void> {
  // The description last: a folder without it is not taken for an SAE.
  const files = [weightsPath(dir), saeLensConfigPath(dir)];
  for (const file of files) await requireFile(dir, file);
  const copies = files.map((file) => ({ from: file, to: path.join(target, path.basename(file)) }));
  if (!overwrite) for (const { to } of copies) await requireNone(target, to);
  try {
    await makeFolders(target);
    for (const { from, to } of copies) await writeFileAtomic(to, createReadStream(from) as AsyncIterable<Uint8Array>);
  } catch (error) {
    throw unusable(`The SAE cannot be written to ${target}`, error);
  }
}

async function requireFile(dir: string, file: string): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found?.isFile()) return;
  const sentence = `${dir} holds no trained SAE: there is no ${path.basename(file)}.`;
  throw inputError('run_unreadable', sentence, 'Only a completed run can be exported; resume it first.');
}

async function requireNone(target: string, file: string): Promise<void> {
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (!there) return;
  const sentence = `${target} holds a ${path.basename(file)} already.`;
  throw inputError('output_unusable', sentence, 'Choose another folder, or replace what is there.');
}

function unusable(what: string, error: unknown): WorkbenchError {
  if (error instanceof WorkbenchError) return error;
  const { code, message } = toProblem(error);
  const hint =
    code === 'disk_full' ? 'Free some space and try again.' : 'Check the permissions, and what else uses it.';
  const why = (error as NodeJS.ErrnoException).code ?? message;
  return failure(code === 'disk_full' ? code : 'output_unusable', `${what} (${why}).`, hint, { cause: error });
}
