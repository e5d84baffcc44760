import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';

/** The built program, run as a person would run it. */

const program = path.resolve('dist/cli.js');
export const tinyModel = path.resolve('test/fixtures/tiny-sotu-gpt2');
export const demoModel = path.resolve('examples/demo-gpt2');

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A folder that is removed when the tests of the file are over; called where the file begins. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'iw-cli-'));
  after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

interface StartOptions {
  /** Another program in front of it, with its arguments. */
  through?: string[];
  /** Told each line of standard output. */
  onLine?: (line: string, child: ChildProcess) => void;
  env?: NodeJS.ProcessEnv;
}

/** Starts `iw` in a folder. */
export function start(cwd: string, args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  const { through = [], onLine = () => undefined } = options;
  const [command, ...rest] = [...through, process.execPath, program, ...args];
  const env = { ...process.env, npm_lifecycle_event: 'test', NO_COLOR: '1', FORCE_COLOR: undefined, ...options.env };
  const child = spawn(command!, rest, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended: Ended = { code: null, stdout: '', stderr: '' };
  createInterface({ input: child.stdout }).on('line', (line) => {
    ended.stdout += `${line}\n`;
    onLine(line, child);
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => (ended.stderr += part));
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => {
      resolve({ ...ended, code });
    });
  });
}

/** Runs `iw` in a folder to its end. */
export function iw(cwd: string, ...args: string[]): Promise<Ended> {
  return start(cwd, args);
}

/** Everything in a folder, to see that nothing was left there; the log folder is no leftover. */
export async function contents(dir: string): Promise<string[]> {
  const names = await readdir(dir, { recursive: true });
  return names.filter((name) => name.split(path.sep)[0] !== 'logs').sort();
}
