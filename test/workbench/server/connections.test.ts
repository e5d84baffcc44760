import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { ServerMessage } from '../../../src/shared/api.js';
import { smallRun } from '../small-run.js';
import { closeLater, dial, head, heard, openServer, say, watch } from './open-server.js';

/** Runs one of the programs beside these tests, as an argument of others if they are given. */
function run(name: string, values: string[] = [], before: string[] = []) {
  const own = [process.execPath, '--import', 'tsx', path.join(__dirname, 'programs', name), ...values];
  const [command, ...rest] = [...before, ...own];
  const child = spawn(command!, rest);
  child.stderr.pipe(process.stderr);
  closeLater(() => child.kill('SIGKILL'));
  return child;
}
const windows = process.platform === 'win32';
const jobs = '/sae/training/jobs';

test('10,000 connections lock nobody out and cost no memory', async () => {
  const { server, jobs: manager, records } = await openServer();
  manager.configure({ concurrency: 0 });
  const client = await watch(server);
  const useless = heard(await dial(server.port));
  const before = process.memoryUsage().rss;
  const flood = run('open-connections.ts', [String(server.port)]);
  let waves = 0;
  for await (const line of createInterface(flood.stdout)) {
    waves++;
    assert.equal(Number(line), waves * 250);
    assert.match(await say(server.port, head(`GET ${jobs}`)), /^HTTP\/1.1 200 /);
    if (waves % 10 > 0) continue;
    const { id } = await manager.start(smallRun);
    const tells = (message: ServerMessage) => 'job_id' in message && message.job_id === id;
    await client.message(tells);
    const next = await watch(server);
    await next.message(tells);
    next.socket.close();
  }
  assert.equal(waves, 40);
  const grown = (process.memoryUsage().rss - before) / 1e6;
  assert.ok(grown < 150, `${grown} MB more`);
  await records.one(/^api WARNING 512 connections are open: idle ones make room for new ones/);
  assert.equal(await useless, '');
});

test('a connection whose request is being answered is not the one that makes room', async () => {
  const { server, records } = await openServer({ limits: { connections: 3 } });
  const busy = await dial(server.port);
  busy.write(head('POST /sae/train', { 'Content-Length': '2', Expect: '100-continue' }));
  await once(busy, 'data');
  const client = await watch(server);
  const idle = await dial(server.port);
  const gone = heard(idle);
  const next = await dial(server.port);
  assert.equal(await gone, '');
  const answer = heard(busy);
  busy.write('[]');
  assert.match(await answer, /^HTTP\/1.1 422 /);
  client.socket.send('{"type":"ping"}');
  await client.message(({ type }) => type === 'pong');
  next.destroy();
  await records.one(/^api WARNING 3 connections are open/);
});

test('at most 32 requests are answered at once', async () => {
  const { server } = await openServer();
  const waiting = await Promise.all(
    Array.from({ length: 32 }, async () => {
      const socket = await dial(server.port);
      socket.write(head('POST /sae/train', { 'Content-Length': '2', Expect: '100-continue' }));
      await once(socket, 'data');
      return socket;
    }),
  );
  const refused = await say(server.port, head(`GET ${jobs}`));
  assert.match(refused, /^HTTP\/1.1 429 [^]*Retry-After: 1\r\n[^]*"code":"too_many_clients"/);
  // Strangers may ask this, so it takes nobody’s place, and nobody takes its.
  assert.match(await say(server.port, head('GET /health')), /^HTTP\/1.1 200 /);
  const answers = waiting.map((socket) => {
    socket.write('[]');
    return heard(socket);
  });
  for (const answer of await Promise.all(answers)) assert.match(answer, /^HTTP\/1.1 422 /);
  assert.match(await say(server.port, head(`GET ${jobs}`)), /^HTTP\/1.1 200 /);
});

test('what comes too slowly is not waited for', async () => {
  const { server, records } = await openServer({ limits: { headersMs: 300, requestMs: 600 } });
  const { server: patient, records: patiently } = await openServer({ limits: { headersMs: 300, requestMs: 300_000 } });
  const drip = async (begin: string, more: string, { port } = server) => {
    const socket = await dial(port);
    socket.write(begin);
    const dripping = setInterval(() => socket.write(more), 20);
    return heard(socket).finally(() => {
      clearInterval(dripping);
    });
  };
  const body = { 'Content-Length': '60000' };
  const chunked = { 'Transfer-Encoding': 'chunked' };
  const answers = await Promise.all([
    drip('GET /heal', 't', patient),
    drip(`GET ${jobs} HTTP/1.1\r\n`, 'X: y\r\n', patient),
    drip(head('POST /sae/train', body), ' '),
    drip(head('POST /sae/train', chunked), '1\r\n \r\n'),
    drip(head('POST /sae/train', { ...body, Connection: 'keep-alive' }), ' '),
  ]);
  for (const answer of answers) assert.match(answer, /^HTTP\/1.1 408 [^]*"code":"request_timeout"/);
  // Who never began to ask is not answered.
  assert.equal(await heard(await dial(patient.port)), '');
  await records.one(/^api WARNING POST \/sae\/train 408 /);
  await patiently.one(/^api WARNING Unreadable request 408 \(ERR_HTTP_REQUEST_TIMEOUT\)$/);
  // Whoever may not ask is told so before the body is there.
  const denied = drip(head('POST /sae/train', { ...body, Authorization: 'x' }), ' ');
  assert.match(await denied, /^HTTP\/1.1 401 /);
  assert.match(await say(server.port, head('GET /health')), /^HTTP\/1.1 200 /);
});

test('what is too large is refused without being read to its end', async () => {
  const { server } = await openServer();
  const tooLarge = /^HTTP\/1.1 413 [^]*"code":"too_large"/;
  const bytes = 64 * 1024;
  const space = ' '.repeat(bytes - 2);
  const post = (length: number) => head('POST /sae/train', { 'Content-Length': String(length) });
  assert.match(await say(server.port, `${post(bytes)}${space}[]`), /^HTTP\/1.1 422 /);
  assert.match(await say(server.port, `${post(bytes + 1)}${space}[] `), tooLarge);
  assert.match(await say(server.port, `${post(10e9)}${space}[] `), tooLarge);
  const chunked = head('POST /sae/train', { 'Transfer-Encoding': 'chunked' });
  assert.match(await say(server.port, `${chunked}${`4000\r\n${' '.repeat(0x4000)}\r\n`.repeat(5)}`), tooLarge);
  const longHead = head('GET /health', { 'X-Long': 'x'.repeat(20_000) });
  assert.match(await say(server.port, longHead), /^HTTP\/1.1 431 [^]*"code":"too_large"/);
  assert.match(await say(server.port, head(`GET /${'x'.repeat(20_000)}`)), /^HTTP\/1.1 431 /);
});

test('what is no request is answered as such, and recorded', async () => {
  const { server, records } = await openServer();
  const wrong = [
    ...['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'hello\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n'],
    ...[
      head('GET /\u0001'),
      head('GET /é'),
      head('GET /health', { 'X-Bad': 'a\0b' }),
      head('GET /health', { 'bad name': 'x' }),
    ],
    head('POST /sae/train', { 'Content-Length': '2', 'Transfer-Encoding': 'chunked' }),
    head('POST /sae/train', { 'Content-Length': '-1' }),
    `${head('POST /sae/train', { 'Transfer-Encoding': 'chunked' })}zz\r\n`,
  ];
  for (const text of wrong) {
    assert.match(await say(server.port, text), /^HTTP\/1.1 400 [^]*"code":"bad_request"/, text);
  }
  await records.one(/^api WARNING Unreadable request 400 \(HPE_INVALID_METHOD\)$/);
  await records.one(/^api INFO POST \/sae\/train 400 /);
  assert.equal(records.lines.filter((line) => line.includes(' 400 ')).length, wrong.length);
  // What follows a request that is being answered spoils only what follows.
  const both = await say(server.port, `${head('GET /health', { Connection: 'keep-alive' })}hello\r\n\r\n`);
  assert.match(both, /^HTTP\/1.1 (200|400) /);
  assert.match(await say(server.port, head('GET /health')), /^HTTP\/1.1 200 /);
});

test('a server that runs out of file descriptors goes on when it has some again', { skip: windows }, async () => {
  const child = run('serve.ts', [], ['sh', '-c', 'ulimit -n 100; exec "$0" "$@"']);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const port = Number(line);
  // More than the program can open: it must close the others.
  const sockets = await Promise.all(Array.from({ length: 300 }, () => dial(port)));
  const open = sockets.filter(({ closed }) => !closed);
  const ended = open.map(heard);
  for (const socket of open) socket.end();
  await Promise.all(ended);
  assert.match(await say(port, head('GET /health')), /^HTTP\/1.1 200 /);
  child.stdin.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
