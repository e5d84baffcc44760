import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import type { Ended } from './cli.js';

/** A command that serves the API, run as a person would run it. */

const program = path.resolve('dist/cli.js');
/** Whoever waits longer than this for a line waits for one that does not come. */
const mostMs = 60_000;
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** An environment whose home folder is another one: what is found there is this test's. */
export function at(home: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = { HOME: home, USERPROFILE: home, IW_TOKEN: undefined, IW_URL: undefined };
  return { ...process.env, npm_lifecycle_event: 'test', NO_COLOR: '1', FORCE_COLOR: undefined, ...own, ...more };
}

/** A program of which every line is kept as it comes. */
export class Running extends EventEmitter {
  readonly child: ChildProcess;
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly ended: Promise<Ended>;

  constructor(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
    super();
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    running.add(child);
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#hear(this.out, line);
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#hear(this.err, line);
    });
    this.ended = once(child, 'close').then(([code]: (number | null)[]) => {
      running.delete(child);
      this.emit('line');
      return { code: code ?? null, stdout: this.out.join('\n'), stderr: this.err.join('\n') };
    });
  }

  /** The first line, past or future, that matches, and what its groups matched. @throws if there is none. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    const signal = AbortSignal.timeout(mostMs);
    for (;;) {
      for (const line of [...this.out, ...this.err]) {
        const found = pattern.exec(line);
        if (found) return found;
      }
      const missing = () => new Error(`There is no line ${pattern}:\n${[...this.out, ...this.err].join('\n')}`);
      if (!running.has(this.child)) throw missing();
      await once(this, 'line', { signal }).catch(() => {
        throw missing();
      });
    }
  }

  #hear(lines: string[], line: string): void {
    lines.push(line);
    this.emit('line');
  }
}

/** Starts `iw` in a folder. */
export function startIw(cwd: string, env: NodeJS.ProcessEnv, ...args: string[]): Running {
  return new Running(process.execPath, [program, ...args], cwd, env);
}

/** A server that has told its address. */
export interface Served {
  running: Running;
  url: string;
  token: string;
  /** Sends a request with the token. */
  call: (method: string, route: string, body?: object) => Promise<{ status: number; body: Record<string, unknown> }>;
}

/** What a command that serves has told of itself. */
export async function served(running: Running): Promise<Served> {
  const [, url = '', token = ''] = await running.line(/(http:\/\/127\.0\.0\.1:\d+)\/\?token=(\S+)/);
  const headers = { Authorization: `Bearer ${token}` };
  const call: Served['call'] = async (method, route, body) => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = await fetch(url + route, { method, headers, ...sent });
    return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
  };
  return { running, url, token, call };
}
