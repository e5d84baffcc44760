import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { closeLater } from '../open-server.js';
import { root as repository, temporaryFolder } from '../../small-run.js';
import type { Holdings, Opened, Order } from './server.js';

const folder = realpathSync(temporaryFolder());
/** Ends by itself within this after it was let go of, and answers every order within it. */
const patienceMs = 60_000;

/** A server in a process of its own, in folders of which everything is known. */
export class Target {
  readonly base: string;
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  readonly #files: Map<string, string>;
  #orders = 0;

  private constructor(base: string, token: string, child: ChildProcess, files: Map<string, string>, port: number) {
    this.base = base;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.token = token;
    this.#child = child;
    this.#ended = once(child, 'exit');
    this.#files = files;
  }

  static async start(): Promise<Target> {
    const base = mkdtempSync(path.join(folder, 'fuzz-'));
    const token = 'a-token-of-these-tests';
    furnish(base);
    const files = filesOf(base);
    const home = path.join(base, 'home');
    const temporary = path.join(base, 'tmp');
    const child = fork(path.join(__dirname, 'server.ts'), [base, token], {
      execArgv: ['--import', 'tsx', '--expose-gc'],
      env: { ...process.env, HOME: home, USERPROFILE: home, TMPDIR: temporary, TEMP: temporary, TMP: temporary },
    });
    closeLater(() => child.kill('SIGKILL'));
    const [{ port }] = (await once(child, 'message')) as [Opened];
    return new Target(base, token, child, files, port);
  }

  get headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.token}` };
  }

  /** What the process holds now. */
  measure(): Promise<Holdings> {
    return this.#order('measure');
  }

  /** Deletes all but the newest runs that have ended, as a person does now and then. */
  async tidy(): Promise<void> {
    await this.#order('tidy');
  }

  /**
   * Closes the server and lets go of its process, which must then end by itself; tells of files and folders that were not
   * there before outside of the runs folder, or have changed or gone, and of an end that did not come.
   */
  async close(): Promise<string[]> {
    const faults: string[] = [];
    const { resources } = await this.#order('close');
    this.#child.disconnect();
    const signal = AbortSignal.timeout(patienceMs);
    const tired = once(signal, 'abort').then(() => [`none, with ${resources.join(', ')}`]);
    const [code] = await Promise.race([this.#ended, tired]);
    if (code !== 0) faults.push(`exit: ${String(code)}`);
    const files = filesOf(this.base);
    for (const [file, state] of files) {
      const before = this.#files.get(file);
      if (before !== state) faults.push(before === undefined ? `written: ${file}` : `changed: ${file}`);
    }
    for (const file of this.#files.keys()) if (!files.has(file)) faults.push(`gone: ${file}`);
    return faults;
  }

  /** Lines of the log that the pattern matches. */
  logged(pattern: RegExp): string[] {
    const lines = readFileSync(path.join(this.base, 'logs', 'api.log'), 'utf8').split('\n');
    return lines.filter((line) => pattern.test(line));
  }

  #order(what: Order['do']): Promise<Holdings> {
    const id = ++this.#orders;
    this.#child.send({ id, do: what } satisfies Order);
    return new Promise((resolve, reject) => {
      const late = setTimeout(reject, patienceMs, new Error(`The server does not ${what} in time.`));
      const settle = (settled: () => void) => {
        clearTimeout(late);
        this.#child.off('message', hear).off('exit', leave);
        settled();
      };
      const hear = (reply: { id: number; now: Holdings }) => {
        if (reply.id === id)
          settle(() => {
            resolve(reply.now);
          });
      };
      const leave = () => {
        settle(() => {
          reject(new Error(`The server has ended when it was to ${what}.`));
        });
      };
      this.#child.on('message', hear).on('exit', leave);
    });
  }
}

/** The folders of a server: its root and the person's others, which are none of its business. */
function furnish(base: string): void {
  for (const name of ['root', 'cwd', 'home', 'tmp', 'outside', 'servers']) mkdirSync(path.join(base, name));
  const put = (name: string, text: string) => {
    writeFileSync(path.join(base, name), text);
  };
  put('outside/thesis.txt', 'The people of this nation. '.repeat(100));
  put('root/notes.txt', 'The people of this nation. '.repeat(100));
  mkdirSync(path.join(base, 'outside', 'runs'));
  mkdirSync(path.join(base, 'root', 'folder'));
  put('root/folder/more.md', 'We are many. '.repeat(100));
  const recorded = path.join(repository, 'test', 'fixtures', 'activations', 'list-float-zstd-dictionary.parquet');
  cpSync(recorded, path.join(base, 'root', 'recorded.parquet'));
  // A link to a folder needs no rights on Windows if it is a junction.
  symlinkSync(path.join(base, 'outside'), path.join(base, 'root', 'way-out'), 'junction');
}

/** Every file and folder with its size and time, but for what the server is there to write. */
function filesOf(base: string): Map<string, string> {
  const all = readdirSync(base, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
  const own = /^(root\/\.interpretability(\/runs(\/.*)?)?|logs(\/.*)?|tmp\/(tsx-|node-compile-cache).*)$/;
  const others = all.filter((file) => !own.test(file));
  return new Map(
    others.map((file) => {
      const status = statSync(path.join(base, file));
      return [file, status.isFile() ? `${status.size} ${status.mtimeMs}` : 'folder'];
    }),
  );
}

/** Asserts that what a process holds did not grow from the end of the first quarter to that of the last. */
export function assertFlat(
  quarters: readonly Holdings[],
  most: Pick<Holdings, 'heapUsed' | 'rss' | 'descriptors'>,
): void {
  const [first, last] = [quarters[0]!, quarters.at(-1)!];
  for (const key of ['heapUsed', 'rss', 'descriptors'] as const) {
    const story = quarters.map((each) => each[key].toLocaleString('en')).join(', ');
    assert.ok(last[key] - first[key] < most[key], `${key} has grown: ${story} after each quarter`);
  }
}
