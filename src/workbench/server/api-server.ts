import { getRequestListener } from '@hono/node-server';
import type { SaeConfig } from '../../shared/config.js';
import { toProblem } from '../../shared/errors.js';
import type { Log } from '../../shared/logs.js';
import type { JobManager } from '../jobs.js';
import type { RunBoard } from '../run-board.js';
import { Access, checkToken, newToken } from './access.js';
import { AddressFile, defaultAddressFolder } from './address-file.js';
import { atMostEvery } from './at-most-every.js';
import { Connections } from './connections.js';
import { EventFeed } from './event-feed.js';
import { serverLimits, type ServerLimits } from './limits.js';
import { Listener } from './listener.js';
import { refusal } from './refusal.js';
import { Requests } from './requests.js';
import { apiRoutes } from './routes.js';
import { Sockets } from './sockets.js';

export interface ApiServerOptions {
  jobs: JobManager;
  board: RunBoard;
  log: Log;
  version: string;
  /** Relative paths of requests count from it, and what requests name lies in it. */
  root: string;
  /** Where new runs go; an `output_dir` lies in it. Asked at every request. */
  runsFolder: () => string;
  /** More folders that requests may name files in. Asked at every request. */
  folders?: () => readonly string[];
  /** Model, text and threads of requests that name none; else the bundled ones and all cores. */
  defaults?: () => Pick<SaeConfig, 'model' | 'text' | 'threads'>;
  /** 8000; the next free one is taken where it is in use. 0: any free one. */
  port?: number;
  /** Random if not given; null: requests need none. */
  token?: string | null;
  /** Browser origins besides the server's own. */
  allowedOrigins?: readonly string[];
  /** Folder of the address file. Default: ~/.interpretability-workbench/servers */
  addressFolder?: string;
  /** Other limits than usual. */
  limits?: Partial<ServerLimits>;
}

const usualPort = 8000;
const fullMs = 60_000;

/** The local API: HTTP and WebSocket on one port of 127.0.0.1. */
export class ApiServer {
  readonly url: string;
  readonly token: string | null;
  readonly port: number;
  /** True where the port asked for was taken and another one is used. */
  readonly moved: boolean;
  readonly #log: Log;
  readonly #end: () => Promise<unknown>;
  #file: AddressFile | undefined;
  #closed: Promise<void> | undefined;

  private constructor(port: number, moved: boolean, token: string | null, log: Log, end: () => Promise<unknown>) {
    this.port = port;
    this.moved = moved;
    this.token = token;
    this.url = `http://127.0.0.1:${port}`;
    this.#log = log;
    this.#end = end;
  }

  /**
   * Starts a server.
   * @throws WorkbenchError `port_unavailable`; `config_invalid` for a token or an origin that is of no use.
   */
  static async start(options: ApiServerOptions): Promise<ApiServer> {
    const { jobs, board, log, port = usualPort, addressFolder = defaultAddressFolder() } = options;
    const token = options.token === null ? null : checkToken(options.token ?? newToken());
    const access = new Access(token, options.allowedOrigins);
    const limits = { ...serverLimits, ...options.limits };
    const connections = new Connections(
      limits.connections,
      atMostEvery(fullMs, () => {
        log('api', 'WARNING', `${limits.connections} connections are open: idle ones make room for new ones.`);
      }),
    );
    const feed = new EventFeed(jobs, board);
    const sockets = new Sockets({ access, connections, feed, limits, log });
    const routes = apiRoutes({ ...options, startedAt: Date.now() });
    const answer = getRequestListener(routes.fetch, { overrideGlobalObjects: false, errorHandler: () => badAddress() });
    const requests = new Requests({
      access,
      connections,
      log,
      most: limits.requests,
      answer: (incoming, outgoing) => void answer(incoming, outgoing),
    });
    const end = (listener?: Listener) => {
      const ended = Promise.all([listener?.close(), sockets.close()]);
      feed.close();
      return ended;
    };
    try {
      const { receive, unreadable } = requests;
      const doors = { request: receive, unreadable, upgrade: sockets.receive };
      const listener = await Listener.open({ port, limits, connections, log, ...doors });
      const moved = port !== 0 && listener.port !== port;
      const server = new ApiServer(listener.port, moved, token, log, () => end(listener));
      await server.#announce(addressFolder);
      return server;
    } catch (error) {
      await end();
      throw error;
    }
  }

  /** Where programs of the same person find address and token; undefined if it could not be written. */
  get addressFile(): string | undefined {
    return this.#file?.path;
  }

  /** Ends every connection and removes the address file. */
  async close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #announce(folder: string): Promise<void> {
    const { url, token } = this;
    this.#log('api', 'INFO', `The API is at ${url}.`);
    try {
      this.#file = await AddressFile.write(folder, this.port, { url, token });
    } catch (error) {
      const why = toProblem(error).message;
      this.#log('api', 'WARNING', `Clients must be told where the API is, its address file is not written: ${why}`);
    }
  }

  async #close(): Promise<void> {
    await Promise.all([this.#file?.remove().catch(() => undefined), this.#end()]);
    this.#log('api', 'INFO', `The API at ${this.url} is closed.`);
  }
}

/** What the address of a request is no address of. */
function badAddress(): Response {
  const { status, headers, body } = refusal('bad_request', 'The request has no valid address.', 'Check its address.');
  return new Response(body, { status, headers });
}
