import type { IncomingMessage } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Log } from '../../shared/logs.js';
import { tokenProtocol, type Access } from './access.js';
import type { Connections } from './connections.js';
import type { EventFeed } from './event-feed.js';
import type { ServerLimits } from './limits.js';
import { refusal, refuseOn, type Refusal } from './refusal.js';
import { printable, recordRequest } from './request-log.js';
import { SocketClient } from './socket-client.js';

export interface SocketsOptions {
  access: Access;
  connections: Connections;
  feed: EventFeed;
  limits: ServerLimits;
  log: Log;
}

/** A longer message is not even read to its end. */
const mostPayload = 1024 * 1024;

const notFound = refusal('not_found', 'Only /ws can be upgraded, to a WebSocket.', 'Connect to /ws.');
const tooMany = (clients: number) =>
  refusal('too_many_clients', `${clients} clients are connected already.`, 'Close one of them.', {
    headers: { 'Retry-After': '10' },
  });

/** The WebSocket clients at `/ws`, each of whom is told of every event. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #clients = new Set<SocketClient>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #unsubscribe: () => void;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: mostPayload,
    handleProtocols: (offered) => tokenProtocol(offered) ?? false,
  });
  #number = 0;
  #lastBeat = performance.now();
  #closing: (() => void) | undefined;

  constructor(options: SocketsOptions) {
    this.#options = options;
    this.#unsubscribe = options.feed.subscribe((event) => {
      for (const client of this.#clients) client.tell(event);
    });
    this.#heartbeat = setInterval(() => {
      this.#beat();
    }, options.limits.heartbeatMs);
    this.#server.on('wsClientError', ({ message }, _, request) => {
      this.#refuse(request, refusal('bad_request', `${message}.`, 'Use a WebSocket client.'), performance.now());
    });
  }

  /** Makes a client of whoever sent a request for an upgrade, or refuses it. */
  readonly receive = (request: IncomingMessage, head: Buffer): void => {
    const started = performance.now();
    const { socket } = request;
    socket.on('error', () => socket.destroy());
    const refused = this.#refusal(request);
    if (this.#closing !== undefined) socket.destroy();
    else if (refused !== undefined) this.#refuse(request, refused, started);
    else {
      this.#server.handleUpgrade(request, socket, head, (client) => {
        this.#admit(client, request);
      });
    }
  };

  /** Says goodbye to every client, after the last events that it can still take in the limits' `closeMs`. */
  async close(): Promise<void> {
    this.#unsubscribe();
    clearInterval(this.#heartbeat);
    const gone = new Promise<void>((resolve) => (this.#closing = resolve));
    for (const client of this.#clients) client.leave();
    if (this.#clients.size === 0) this.#closing?.();
    const timer = setTimeout(() => {
      for (const client of this.#clients) client.terminate('still connected when the server closed');
    }, this.#options.limits.closeMs);
    await gone;
    clearTimeout(timer);
  }

  /** Pings every client, and drops those that were silent since the last time. */
  #beat(): void {
    const now = performance.now();
    // Where this process was kept from its work, what its clients said meanwhile may not have been read yet.
    const late = now - this.#lastBeat > 1.1 * this.#options.limits.heartbeatMs;
    this.#lastBeat = now;
    for (const client of this.#clients) {
      if (late || client.isAlive) client.ping();
      else client.terminate('silent');
    }
  }

  #refusal(request: IncomingMessage): Refusal | undefined {
    const { access, limits } = this.#options;
    const refused = access.refusal(request);
    if (refused !== undefined) return refused;
    if (request.url?.split('?', 1)[0] !== '/ws') return notFound;
    return this.#clients.size < limits.clients ? undefined : tooMany(limits.clients);
  }

  #refuse(request: IncomingMessage, refused: Refusal, started: number): void {
    const { access, log } = this.#options;
    recordRequest(log, request, refused.status, started);
    refuseOn(request.socket, refused, access.corsHeaders(request));
  }

  #admit(socket: WebSocket, { socket: connection, headers }: IncomingMessage): void {
    const { connections, feed, log } = this.#options;
    const client = new SocketClient(socket);
    const name = `Client ${++this.#number}`;
    const release = connections.hold(connection);
    this.#clients.add(client);
    const from = `${connection.remoteAddress ?? 'an unknown address'}:${connection.remotePort ?? 0}`;
    const agent = printable(headers['user-agent'] ?? 'unknown');
    log('websocket', 'INFO', `${name} connected from ${from} (${agent}), ${this.#clients.size} in all`);
    socket.once('close', (code) => {
      this.#clients.delete(client);
      release();
      log('websocket', 'INFO', `${name} ${client.summary(code)}, ${this.#clients.size} in all`);
      if (this.#clients.size === 0) this.#closing?.();
    });
    for (const event of feed.newest()) client.tell(event);
  }
}
