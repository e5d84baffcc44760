import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { WebSocket } from 'ws';
import { serverMessageSchema, type ServerMessage, type TrainRequest, trainReplySchema } from '../../shared/api.js';
import type { JobEvent } from '../../shared/events.js';
import type { Estimate } from '../../shared/messages.js';
import { JobManager } from '../../workbench/jobs.js';
import { Logs } from '../../workbench/logging/logs.js';
import type { ApiServer } from '../../workbench/server/api-server.js';
import { openServing, type Serving } from '../serving.js';
import { expect } from './check.js';

interface Opened {
  logs: Logs;
  jobs: JobManager;
  serving: Serving;
}

export interface Reply {
  status: number;
  body: unknown;
}

/** Where the checks try things: a temporary folder, and in it a server with its jobs and logs, as `iw serve` has them. */
export class Place {
  /** The run that was trained to its end, and the one that was not. */
  completed: { id: string; dir: string } | undefined;
  stopped: { id: string; dir: string } | undefined;
  /** What training takes here, once measured. */
  estimate: Estimate | undefined;
  readonly #heard: ServerMessage[] = [];
  readonly #listeners = new Set<() => void>();
  #folder: string | undefined;
  #opened: Opened | undefined;
  #closed: Promise<void> | undefined;
  #socket: WebSocket | undefined;

  /** `configFile`: whose training is estimated; what ships if not given. */
  constructor(readonly configFile?: string) {}

  /** Makes the temporary folder. */
  async makeFolder(): Promise<string> {
    this.#folder = await mkdtemp(path.join(tmpdir(), 'iw-doctor-'));
    return this.#folder;
  }

  get folder(): string {
    expect(this.#folder !== undefined, 'There is no temporary folder.');
    return this.#folder;
  }

  get server(): ApiServer {
    return this.#open.serving.server;
  }

  /** The folder of the log files. */
  get logFolder(): string {
    const { folder } = this.#open.logs;
    expect(folder !== undefined, 'The log folder could not be made.', 'Check the permissions of the temporary folder.');
    return folder;
  }

  get #open(): Opened {
    expect(this.#opened !== undefined, 'There is no server.');
    return this.#opened;
  }

  /** Starts a server on any free port. */
  async openServer(): Promise<ApiServer> {
    const root = this.folder;
    const logs = new Logs({ folder: path.join(root, 'logs') });
    await logs.opened();
    const { log } = logs;
    const jobs = new JobManager({ log });
    const serving = await openServing({ jobs, log, root, runsFolder: path.join(root, 'runs'), port: 0 });
    this.#opened = { logs, jobs, serving };
    return serving.server;
  }

  async request(method: string, route: string, body?: object, token = this.server.token): Promise<Reply> {
    const headers = {
      'Content-Type': 'application/json',
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    };
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = await fetch(this.server.url + route, { method, headers, ...content });
    return { status: reply.status, body: await reply.json() };
  }

  /** Connects a WebSocket; from then on everything that it is told is kept. */
  async connect(): Promise<WebSocket> {
    const { url, token } = this.server;
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers: { Authorization: `Bearer ${token}` } });
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#heard.push(v.parse(serverMessageSchema, JSON.parse(data.toString())));
      for (const listener of [...this.#listeners]) listener();
    });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve).once('error', reject);
    });
    return socket;
  }

  /** Starts a run by the API. */
  async train(request: TrainRequest): Promise<{ id: string; dir: string }> {
    const { status, body } = await this.request('POST', '/sae/train', request);
    expect(status === 202, `POST /sae/train was answered ${status}: ${JSON.stringify(body)}`);
    const { job_id, output_dir } = v.parse(trainReplySchema, body);
    return { id: job_id, dir: output_dir };
  }

  /** The first message that the function finds something in; waits for it. */
  async hear<T>(find: (message: ServerMessage) => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      let next = 0;
      const look = () => {
        while (next < this.#heard.length) {
          const found = find(this.#heard[next++]!);
          if (found === undefined) continue;
          this.#listeners.delete(look);
          resolve(found);
          return;
        }
      };
      this.#listeners.add(look);
      look();
    });
  }

  /** What was told of a job until now. */
  eventsOf(id: string): JobEvent[] {
    return this.#heard.filter((message): message is JobEvent => 'job_id' in message && message.job_id === id);
  }

  /** Ends the server and its jobs, and writes the last log lines. */
  async closeServer(): Promise<void> {
    this.#closed ??= this.#opened && this.#end(this.#opened);
    await this.#closed;
  }

  /** Leaves nothing behind. */
  async close(): Promise<void> {
    await this.closeServer();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  async #end({ jobs, serving, logs }: Opened): Promise<void> {
    for (const { id } of jobs.list()) jobs.kill(id);
    await jobs.dispose();
    await serving.close();
    await logs.close();
    this.#socket?.terminate();
  }
}
