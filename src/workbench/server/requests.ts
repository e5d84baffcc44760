import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '../../shared/logs.js';
import { isOpen, isPreflight, type Access } from './access.js';
import type { Connections } from './connections.js';
import { refusal, refuse, refuseOn, standingHeaders, type Refusal } from './refusal.js';
import { recordRequest } from './request-log.js';

export interface RequestsOptions {
  access: Access;
  connections: Connections;
  log: Log;
  /** Requests with a token being answered at once. */
  most: number;
  /** Answers what is let in. */
  answer: RequestListener;
}

interface Exchange {
  outgoing: ServerResponse;
  /** How it was answered, where that was not by `outgoing`. */
  status?: number;
}

const tooMany = refusal(
  'too_many_clients',
  'Too many requests are being answered at this moment.',
  'Wait for answers before you send more.',
  { headers: { 'Retry-After': '1' } },
);

/** The door for HTTP requests: each is let in or refused, and recorded. */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #exchanges = new WeakMap<Duplex, Exchange>();
  readonly #refused = new WeakSet<Duplex>();
  #inside = 0;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  readonly receive = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { access, log } = this.#options;
    const started = performance.now();
    const exchange: Exchange = { outgoing };
    this.#exchanges.set(incoming.socket, exchange);
    outgoing.once('close', () => {
      if (this.#exchanges.get(incoming.socket) === exchange) this.#exchanges.delete(incoming.socket);
      const status = exchange.status ?? (outgoing.writableFinished ? outgoing.statusCode : undefined);
      recordRequest(log, incoming, status, started);
    });
    const headers = { ...standingHeaders, ...access.corsHeaders(incoming) };
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    const refused = access.refusal(incoming);
    if (refused !== undefined) refuse(outgoing, refused);
    else if (isPreflight(incoming)) outgoing.writeHead(204).end();
    // Strangers may ask this: it is answered at once, and takes nobody's place.
    else if (isOpen(incoming)) this.#options.answer(incoming, outgoing);
    else this.#letIn(incoming, outgoing);
  };

  /** What could not be read as a request, or was not there in time. */
  readonly unreadable = (error: NodeJS.ErrnoException, socket: Duplex): void => {
    if (this.#refused.has(socket)) return;
    const refused = refusalOf(error);
    const exchange = this.#exchanges.get(socket);
    const silent = !(socket instanceof Socket) || socket.bytesRead === 0;
    if (refused === undefined || silent || !socket.writable || exchange?.outgoing.headersSent) {
      socket.destroy(error);
      return;
    }
    this.#refused.add(socket);
    if (exchange !== undefined) exchange.status = refused.status;
    else this.#options.log('api', 'WARNING', `Unreadable request ${refused.status} (${error.code ?? error.message})`);
    refuseOn(socket, refused);
  };

  #letIn(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { answer, connections, most } = this.#options;
    if (this.#inside >= most) {
      refuse(outgoing, tooMany);
      return;
    }
    this.#inside++;
    const release = connections.hold(incoming.socket);
    outgoing.once('close', () => {
      this.#inside--;
      release();
    });
    answer(incoming, outgoing);
  }
}

/** How to answer; undefined where nobody is there to be answered. */
function refusalOf({ code = '' }: NodeJS.ErrnoException): Refusal | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return refusal('request_timeout', 'The request did not arrive in time.', 'Send it at once.');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return refusal('too_large', 'The head of the request is too large.', 'Send fewer headers.', { status: 431 });
  }
  if (!code.startsWith('HPE_')) return undefined;
  return refusal(
    'bad_request',
    'This is not an HTTP request.',
    'Use an HTTP client, and http:// rather than https://.',
  );
}
