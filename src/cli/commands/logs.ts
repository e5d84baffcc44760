import path from 'node:path';
import { inputError } from '../../shared/errors.js';
import { newestLines } from '../../workbench/logging/newest.js';
import { exitCodes } from '../exit.js';

export interface LogsOptions {
  dir: string;
  lines: string;
}

/** `iw logs` */
export async function logs(options: LogsOptions): Promise<number> {
  const count = Number(options.lines);
  if (!Number.isInteger(count) || count < 0 || options.lines.trim() === '') {
    const sentence = `--lines is "${options.lines}", expected a whole number.`;
    throw inputError('config_invalid', sentence, 'For example: --lines 100');
  }
  const lines = await read(path.resolve(options.dir, 'api.log'), count);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return exitCodes.done;
}

async function read(file: string, count: number): Promise<string[]> {
  try {
    return await newestLines(file, count);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    const hint = 'Commands write logs/ in the folder they run in; --dir names another.';
    throw inputError('run_unreadable', `There is no log ${file}.`, hint);
  }
}
