import { inputError, WorkbenchError } from '../../shared/errors.js';

/** A file of activations cannot be used: `PATH TROUBLE.` */
export function unreadable(
  path: string,
  trouble: string,
  hint = 'Give a Parquet file of activations, as `iw extract` writes them.',
): WorkbenchError {
  return inputError('activations_unreadable', `${path} ${trouble}.`, hint, 'activation_data_path');
}

/** One row of a file cannot be used. Rows are counted from 0. */
export function badRow(path: string, row: number, trouble: string): WorkbenchError {
  return unreadable(path, `has ${trouble} in row ${row} (counted from 0)`, 'Leave such rows out of the file.');
}

/** Turns the decoder's complaints about a broken file into a problem with the file; the system's errors stay what they are. */
export async function guarded<T>(path: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof WorkbenchError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw unreadable(path, `cannot be read as Parquet (${reason})`, 'Is it a Parquet file, and copied completely?');
  }
}
