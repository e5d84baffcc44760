import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Problem, ProblemCode } from '../../shared/errors.js';
import { problemReply } from './problem-reply.js';

/** Why a request gets no further than the door, as a reply. */
export interface Refusal {
  status: number;
  body: string;
  headers: Record<string, string>;
}

export interface RefusalOptions {
  /** Where HTTP has a status for the problem that is more exact than the usual one. */
  status?: number;
  headers?: Record<string, string>;
}

/** What every reply carries. */
export const standingHeaders: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  Vary: 'Origin',
  'X-Content-Type-Options': 'nosniff',
};

const lingerMs = 1000;

export function refusal(code: ProblemCode, message: string, hint: string, options: RefusalOptions = {}): Refusal {
  const problem: Problem = { code, message, hint, input: true };
  const reply = problemReply(problem);
  const body = JSON.stringify(reply.body);
  const length = String(Buffer.byteLength(body));
  const headers = { 'Content-Type': 'application/json', 'Content-Length': length, ...options.headers };
  return { status: options.status ?? reply.status, body, headers };
}

/** Answers a request, whose other headers may have been set before. */
export function refuse(outgoing: ServerResponse, { status, headers, body }: Refusal): void {
  outgoing.writeHead(status, headers).end(body);
}

/** Answers on a connection whose request could not be read or was to be upgraded, and ends it. */
export function refuseOn(socket: Duplex, refused: Refusal, more: Record<string, string> = {}): void {
  const { status, body } = refused;
  const headers = { ...standingHeaders, ...more, ...refused.headers, Connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.on('error', () => socket.destroy());
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
  // A connection that is closed with bytes unread is reset, and the client loses the reply: for a moment they are read.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => {
    clearTimeout(timer);
  });
}
