import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { FuzzRequest } from './requests.js';

/** What came of a request. */
export interface Exchange {
  /** Null where there is no answer, which only a request may have that is none. */
  reply: { status: number; headers: IncomingMessage['headers']; text: string } | null;
}

/** Every request is answered, or its connection ended, within this. A cancelled job's engine has 10 s to stop. */
const patienceMs = 30_000;
const agent = new Agent({
  keepAlive: true,
  // Sooner than the server gives up a connection: else a request could meet its end.
  timeout: 2000,
});

/** Ends the connections that are kept for further requests. */
export function hangUp(): void {
  agent.destroy();
}

/** @throws where the server does not answer what is a request, or keeps a connection waiting. */
export async function exchange(port: number, request: FuzzRequest): Promise<Exchange> {
  const signal = AbortSignal.timeout(patienceMs);
  if (request.manner === 'raw') return { reply: parse(await sayRaw(port, request.body!, signal)) };
  const { method, target, headers, body, manner } = request;
  const chunked: Record<string, string> = { 'Transfer-Encoding': 'chunked' };
  const framing = manner === 'chunked' ? chunked : { 'Content-Length': String(body?.length ?? 0) };
  const outgoing = httpRequest({
    ...{ host: '127.0.0.1', port, agent, signal, method, path: target },
    headers: { ...headers, ...framing },
  });
  const answered = once(outgoing, 'response');
  if (manner === 'broken off') {
    answered.catch(() => undefined);
    const closed = new Promise((resolve) => outgoing.once('close', resolve));
    outgoing.write(body!.subarray(0, body!.length / 2), () => outgoing.destroy());
    await closed;
    signal.throwIfAborted();
    return { reply: null };
  }
  if (manner === 'chunked')
    for (let at = 0; at < body!.length; at += 5000) outgoing.write(body!.subarray(at, at + 5000));
  outgoing.end(manner === 'length' ? body : undefined);
  const [incoming] = (await answered) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return { reply: { status: incoming.statusCode ?? 0, headers: incoming.headers, text } };
}

/** Sends bytes, says no more, and returns what is answered until the connection ends. */
async function sayRaw(port: number, bytes: Buffer, signal: AbortSignal): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', signal });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // The server may end a connection while it is still spoken to.
  socket.on('error', () => undefined);
  socket.end(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  signal.throwIfAborted();
  return Buffer.concat(chunks).toString('latin1');
}

/** The first reply on a connection that is final. */
function parse(said: string): Exchange['reply'] {
  const [head = ''] = said.split('\r\n\r\n', 1);
  const [first = '', ...lines] = head.split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1];
  if (status === undefined) {
    if (said === '') return null;
    throw new Error(`The server answers ${JSON.stringify(said.slice(0, 200))}`);
  }
  if (status === '100') return parse(said.slice(head.length + 4));
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(':', 1)[0]!.toLowerCase(), /: ?(.*)$/.exec(line)?.[1]]),
  );
  const length = Number(headers['content-length'] ?? 0);
  const text = Buffer.from(said.slice(head.length + 4), 'latin1')
    .subarray(0, length)
    .toString();
  return { status: Number(status), headers, text };
}
