import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { failure, toProblem } from '../../shared/errors.js';
import type { Log } from '../../shared/logs.js';
import { atMostEvery } from './at-most-every.js';
import type { Connections } from './connections.js';
import type { ServerLimits } from './limits.js';

export interface ListenerOptions {
  /** The first port tried; 0: any free one. */
  port: number;
  limits: ServerLimits;
  connections: Connections;
  log: Log;
  request: RequestListener;
  upgrade: (request: IncomingMessage, head: Buffer) => void;
  /** Called with what could not be read as a request, or came too slowly. */
  unreadable: (error: NodeJS.ErrnoException, socket: Duplex) => void;
}

const address = '127.0.0.1';
/** Ports tried after the first one. */
const further = 100;
const mostPorts = 65_535;
const headBytes = 16 * 1024;
const complaintMs = 60_000;

/** The HTTP server itself: its port and what it bears from connections. It can be reached from this machine only. */
export class Listener {
  readonly port: number;
  readonly #server: Server;
  readonly #options: ListenerOptions;

  private constructor(server: Server, port: number, options: ListenerOptions) {
    this.port = port;
    this.#server = server;
    this.#options = options;
  }

  /** Listens at the port, or at the next free one. @throws WorkbenchError `port_unavailable`. */
  static async open(options: ListenerOptions): Promise<Listener> {
    const { port: first } = options;
    if (!Number.isInteger(first) || first < 0 || first > mostPorts) {
      throw failure('port_unavailable', `${first} is not a port.`, `Give a number from 1 to ${mostPorts}.`);
    }
    const server = makeServer(options);
    const last = first === 0 ? 0 : Math.min(first + further, mostPorts);
    for (let port = first; port <= last; port++) {
      const bound = await listen(server, port);
      if (bound !== null) return new Listener(server, bound, options);
    }
    const hint = 'Give another port, or end a program that uses one of these.';
    throw failure('port_unavailable', `None of the ports ${first} to ${last} is free.`, hint);
  }

  /** Takes no more connections; resolves when every one has ended, which takes at most the limits' `closeMs`. */
  async close(): Promise<void> {
    const { connections, limits } = this.#options;
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      connections.close(limits.closeMs);
    });
  }
}

function makeServer({ limits, connections, log, request, upgrade, unreadable }: ListenerOptions): Server {
  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersMs / 2),
    maxHeaderSize: headBytes,
    // A request without a Host is refused like one with a wrong one.
    requireHostHeader: false,
  });
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
  });
  server.on('request', request);
  server.on('checkExpectation', request);
  server.on('upgrade', (incoming, _socket, head) => {
    upgrade(incoming, head);
  });
  server.on('connect', (incoming, _socket, head) => {
    upgrade(incoming, head);
  });
  server.on('clientError', unreadable);
  const complain = atMostEvery(complaintMs, (error: Error) => {
    log('api', 'WARNING', `Connections cannot be accepted just now: ${toProblem(error).message}`);
  });
  // When the process has no file descriptors left, connections fail; the server goes on.
  server.on('error', (error) => {
    if (server.listening) complain(error);
  });
  return server;
}

/** The port it listens at; null if the port is in use or reserved. */
async function listen(server: Server, port: number): Promise<number | null> {
  try {
    await new Promise<void>((resolve, reject) => {
      const onError = (error: Error) => {
        server.off('listening', onListening);
        reject(error);
      };
      const onListening = () => {
        server.off('error', onError);
        resolve();
      };
      server.once('error', onError).once('listening', onListening);
      server.listen({ host: address, port, exclusive: true });
    });
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    const sentence = `The server cannot listen at ${address}:${port}: ${(error as Error).message}`;
    throw failure('port_unavailable', sentence, 'Check whether this machine has a loopback network.', { cause: error });
  }
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : port;
}
