import { EventEmitter, once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { after } from 'node:test';
import { WebSocket } from 'ws';
import type { ServerMessage } from '../../../src/shared/api.js';
import { JobManager, type JobManagerOptions } from '../../../src/workbench/jobs.js';
import { RunBoard } from '../../../src/workbench/run-board.js';
import { Access } from '../../../src/workbench/server/access.js';
import { ApiServer, type ApiServerOptions } from '../../../src/workbench/server/api-server.js';
import { Connections } from '../../../src/workbench/server/connections.js';
import { EventFeed } from '../../../src/workbench/server/event-feed.js';
import { serverLimits, type ServerLimits } from '../../../src/workbench/server/limits.js';
import { Listener } from '../../../src/workbench/server/listener.js';
import { Sockets } from '../../../src/workbench/server/sockets.js';
import { enginePath, temporaryFolder } from '../small-run.js';

export const token = 'a-token-of-these-tests';

const opened: (() => unknown)[] = [];
after(async () => {
  await Promise.all(opened.map((close) => close()));
});
const folder = temporaryFolder();

/** Closes it when the tests of the file have ended, if it is not closed by then. */
export function closeLater(close: () => unknown): void {
  opened.push(close);
}

/** What was logged. */
export class Records extends EventEmitter {
  readonly lines: string[] = [];

  add(line: string): void {
    this.lines.push(line);
    this.emit('line');
  }

  /** Resolves with the first record, past or future, that matches. */
  async one(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await once(this, 'line');
    }
  }
}

/** What a server serves: jobs and the board of a folder of their own, or of a given one. */
export function openWorkbench(
  base = mkdtempSync(path.join(folder, 'case-')),
  options: Partial<JobManagerOptions> = {},
) {
  const runsFolder = path.join(base, '.interpretability', 'runs');
  const records = new Records();
  const log = (component: string, level: string, message: string) => {
    records.add(`${component} ${level} ${message}`);
  };
  const jobs = new JobManager({ log, enginePath, runsFolder, ...options });
  const board = new RunBoard({ jobs, folders: () => [runsFolder], log });
  closeLater(async () => {
    await jobs.dispose();
    board.dispose();
  });
  return { base, runsFolder, jobs, board, log, records };
}

/** A server on any free port, with the token of these tests. */
export async function openServer(options: Partial<ApiServerOptions> = {}, workbench = openWorkbench()) {
  const { base, runsFolder, jobs, board, log } = workbench;
  const server = await ApiServer.start({
    ...{ jobs, board, log, version: '1.2.3', root: base, runsFolder: () => runsFolder },
    ...{ port: 0, token, addressFolder: path.join(base, 'servers') },
    ...options,
  });
  closeLater(() => server.close());
  return { ...workbench, server };
}

/** The WebSocket side of a server alone, with its feed of events. */
export async function openSockets(changes: Partial<ServerLimits> = {}) {
  const workbench = openWorkbench();
  const { jobs, board, log } = workbench;
  const limits = { ...serverLimits, ...changes };
  const connections = new Connections(limits.connections, () => undefined);
  const feed = new EventFeed(jobs, board);
  const sockets = new Sockets({ access: new Access(token), connections, feed, limits, log });
  const listener = await Listener.open({
    ...{ port: 0, limits, connections, log, upgrade: sockets.receive },
    request: (_, outgoing) => outgoing.end(),
    unreadable: (_, socket) => socket.destroy(),
  });
  const close = () => Promise.all([listener.close(), sockets.close()]);
  closeLater(close);
  return { ...workbench, feed, close, port: listener.port, url: `http://127.0.0.1:${listener.port}` };
}

/** A WebSocket client that keeps what it hears. */
export class Watcher {
  readonly socket: WebSocket;
  readonly messages: ServerMessage[] = [];
  /** With the code and the reason. */
  readonly closed: Promise<[number, string]>;

  constructor(url: string, protocols: string[] = [`bearer.${token}`], options = {}) {
    this.socket = new WebSocket(`${url.replace('http:', 'ws:')}/ws`, protocols, options);
    this.socket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()) as ServerMessage);
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        resolve([code, reason.toString()]);
      });
    });
    closeLater(() => {
      this.socket.terminate();
    });
  }

  /** Resolves when the connection is there. @throws if it is refused. */
  async open(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }

  /** Resolves with the first message, past or future, that is as wanted. */
  async message(wanted: (message: ServerMessage) => boolean): Promise<ServerMessage> {
    for (let next = 0; ;) {
      while (next < this.messages.length) {
        const message = this.messages[next++]!;
        if (wanted(message)) return message;
      }
      await once(this.socket, 'message');
    }
  }
}

/** A watcher that is connected. */
export function watch({ url }: Pick<ApiServer, 'url'>): Promise<Watcher> {
  return new Watcher(url).open();
}

/** A TCP connection, over which anything can be said. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  closeLater(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** All that a connection says until it ends. */
export async function heard(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  // Not `once` of node:events: a connection that is reset has ended as well.
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

/** Says something over a connection of its own and returns what is answered until it ends. */
export async function say(port: number, text: string): Promise<string> {
  const socket = await dial(port);
  socket.write(text);
  return heard(socket);
}

/** The head of a request, with `Connection: close` unless headers say otherwise. */
export function head(first: string, headers: Record<string, string> = {}): string {
  const all = { Host: '127.0.0.1', Authorization: `Bearer ${token}`, Connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`${first} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

/** The headers that ask for a WebSocket. */
export const upgrade = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
