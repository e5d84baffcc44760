import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { inputError } from '../../shared/errors.js';
import { refusal, type Refusal } from './refusal.js';

const localHost = /^(?:127\.0\.0\.1|localhost)(?::\d{1,5})?$/i;
/** What needs no encoding in an address and may stand in a subprotocol. */
const usableToken = /^[\w.~-]{16,512}$/;
const bearerProtocol = 'bearer.';

const foreignHost = refusal(
  'forbidden_host',
  'This server answers only requests to 127.0.0.1 or localhost.',
  'Use the address that the workbench shows.',
);
const foreignOrigin = refusal(
  'forbidden_origin',
  'Pages of this origin may not use this server.',
  'Allow the origin where the server is started, if you trust its pages.',
);
const unauthorized = refusal(
  'unauthorized',
  'The token is missing or wrong.',
  'Give the token that the workbench shows: as "Authorization: Bearer …" or ?token=…, to /ws also as subprotocol bearer.….',
  { headers: { 'WWW-Authenticate': 'Bearer' } },
);

/** A new token: 256 random bits. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** A token that a person chose. @throws WorkbenchError `config_invalid` if it is short or cannot be sent in every place. */
export function checkToken(token: string): string {
  if (usableToken.test(token)) return token;
  const sentence = 'The token for the API is too short or too long, or has characters that an address cannot carry.';
  throw inputError(
    'config_invalid',
    sentence,
    'Give 16 to 512 letters, digits and - . _ ~, or none: one is then made.',
  );
}

/**
 * Who may use the server: decided from the Host, the Origin and the token of a request or an upgrade, before anything
 * else looks at it.
 */
export class Access {
  readonly #token: Buffer | null;
  readonly #origins: ReadonlySet<string>;

  /**
   * `token` null: requests need none. `origins`: of pages that may use the server besides its own.
   * @throws WorkbenchError `config_invalid` for what is not the origin of a web page.
   */
  constructor(token: string | null, origins: readonly string[] = []) {
    this.#token = token === null ? null : digest(token);
    this.#origins = new Set(origins.map(webOrigin));
  }

  /** Why a request is not let in; undefined if it is. */
  refusal(request: IncomingMessage): Refusal | undefined {
    const { url = '', headersDistinct } = request;
    const [host = '', ...otherHosts] = headersDistinct.host ?? [];
    // A target that is a whole address names a host of its own, which is not the one that was checked.
    if (!url.startsWith('/') || otherHosts.length > 0 || !localHost.test(host)) return foreignHost;
    const origins = headersDistinct.origin ?? [];
    if (origins.length > 0 && allowedOrigin(request, this.#origins) === undefined) return foreignOrigin;
    if (isPreflight(request) || isOpen(request)) return undefined;
    return this.#token === null || tokensAreRight(request, this.#token) ? undefined : unauthorized;
  }

  /** What lets a page of an allowed origin read the reply. */
  corsHeaders(request: IncomingMessage): Record<string, string> {
    const origin = allowedOrigin(request, this.#origins);
    if (origin === undefined) return {};
    const headers = { 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': 'Location, Retry-After' };
    if (!isPreflight(request)) return headers;
    const privateNetwork = request.headers['access-control-request-private-network'] === 'true';
    return {
      ...headers,
      'Access-Control-Allow-Methods': 'GET, POST, DELETE',
      'Access-Control-Allow-Headers': 'Authorization, Content-Type',
      'Access-Control-Max-Age': '600',
      ...(privateNetwork ? { 'Access-Control-Allow-Private-Network': 'true' } : {}),
    };
  }
}

/** Whether a request needs no token. */
export function isOpen({ url }: IncomingMessage): boolean {
  return url?.split('?', 1)[0] === '/health';
}

/** A browser's question whether a page may send a request: it carries no token. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && 'access-control-request-method' in headers;
}

/** The subprotocol to answer with: the one that carries the token. A browser ends a connection that chooses none. */
export function tokenProtocol(offered: Iterable<string>): string | undefined {
  return [...offered].find((protocol) => protocol.startsWith(bearerProtocol));
}

/** The origin of the page that sent a request, where it is the server's own or listed. */
function allowedOrigin({ headersDistinct, socket }: IncomingMessage, listed: ReadonlySet<string>): string | undefined {
  const [origin, ...others] = headersDistinct.origin ?? [];
  if (origin === undefined || others.length > 0) return undefined;
  // Whoever forwards the port to another one gets the server's pages from there, and browsers then name that one as host.
  const hosts = [
    headersDistinct.host?.[0]?.toLowerCase(),
    `127.0.0.1:${socket.localPort}`,
    `localhost:${socket.localPort}`,
  ];
  return listed.has(origin) || hosts.some((host) => origin === `http://${host}`) ? origin : undefined;
}

/** Whether a token is given and, where it is given in several places, right in each of them. */
function tokensAreRight({ url = '', headersDistinct }: IncomingMessage, expected: Buffer): boolean {
  const query = url.indexOf('?');
  const protocols = (headersDistinct['sec-websocket-protocol'] ?? []).join().split(',');
  const given = [
    ...(headersDistinct.authorization ?? []).map((value) => /^Bearer +(\S+)$/i.exec(value)?.[1] ?? ''),
    ...(query < 0 ? [] : new URLSearchParams(url.slice(query + 1)).getAll('token')),
    ...protocols
      .map((protocol) => protocol.trim())
      .filter((protocol) => protocol.startsWith(bearerProtocol))
      .map((protocol) => protocol.slice(bearerProtocol.length)),
  ];
  // Digests are equally long and tell nothing of where two tokens differ.
  const right = given.map((token) => timingSafeEqual(digest(token), expected));
  return right.length > 0 && !right.includes(false);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** An origin as browsers write it. */
function webOrigin(given: string): string {
  try {
    const { protocol, origin, href } = new URL(given);
    if (/^https?:$/.test(protocol) && href === `${origin}/`) return origin;
  } catch {
    // Not an address at all: the same answer.
  }
  const sentence = `${JSON.stringify(given)} is not the origin of a web page.`;
  throw inputError('config_invalid', sentence, 'Give it as a browser shows it, e.g. http://localhost:3000.');
}
