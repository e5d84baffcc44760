import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import type { JobList, TrainReply } from '../../../src/shared/api.js';
import type { WorkbenchError } from '../../../src/shared/errors.js';
import type { JobEvent } from '../../../src/shared/events.js';
import type { ApiServer } from '../../../src/workbench/server/api-server.js';
import { longRun, smallRun } from '../small-run.js';
import { closeLater, dial, head, heard, openServer, openWorkbench, say, token, watch } from './open-server.js';

/** Calls the API and returns its JSON. */
async function call<T>({ url }: ApiServer, method: string, target: string, body?: object): Promise<T> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const reply = await fetch(`${url}${target}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const text = await reply.text();
  assert.ok(reply.ok, text);
  return JSON.parse(text) as T;
}

const trains = (message: object) => 'status' in message && message.status === 'training' && 'step' in message;

test('a training that is started by HTTP is told of by WebSocket and listed to its end', async () => {
  const { server } = await openServer({ root: path.resolve(__dirname, '..', '..', '..') });
  const client = await watch(server);
  const { job_id, success } = await call<TrainReply>(server, 'POST', '/sae/train', { config: smallRun });
  assert.ok(success);
  const end = await client.message(({ type }) => type === 'training_completed');
  const { jobs, total } = await call<JobList>(server, 'GET', '/sae/training/jobs');
  assert.deepEqual([total, jobs[0]?.job_id, jobs[0]?.status], [1, job_id, 'completed']);
  assert.ok('seq' in end && end.job_id === job_id);
});

test('only this machine can reach the server', async () => {
  const { server } = await openServer();
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const others = addresses
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
  if (process.platform === 'linux') others.push('127.0.0.2', '::1');
  for (const host of others) {
    const reached = once(connect(server.port, host), 'connect');
    await assert.rejects(reached, /ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH/, host);
  }
});

test('a port that is taken is passed over, and it is an error if there is none', async () => {
  const { server: first } = await openServer();
  const { server: second } = await openServer({ port: first.port });
  assert.deepEqual([first.moved, second.moved], [false, true]);
  assert.ok(second.port > first.port && second.port <= first.port + 100);
  for (const { url } of [first, second]) assert.equal((await fetch(`${url}/health`)).status, 200);

  const last = createServer().listen(65_535, '127.0.0.1');
  closeLater(() => last.close());
  // If another program has it, it is taken all the same.
  await Promise.race([once(last, 'listening'), once(last, 'error')]);
  for (const port of [65_535, 65_536, -1, 1.5, NaN]) {
    await assert.rejects(openServer({ port }), ({ problem }: WorkbenchError) => {
      assert.equal(problem.code, 'port_unavailable');
      assert.ok(problem.message.includes(String(port)) && problem.hint !== '');
      return true;
    });
  }
});

test('what a server cannot be started with is refused before it listens', async () => {
  for (const token of ['', 'short']) await assert.rejects(openServer({ token }), /The token for the API is too short/);
  await assert.rejects(openServer({ allowedOrigins: ['*'] }), /origin/);
});

test('a server that is stopped in mid-stream says goodbye, and the training goes on', async () => {
  const workbench = openWorkbench();
  const { jobs } = workbench;
  const { server } = await openServer({}, workbench);
  const job = await jobs.start(longRun);
  const clients = [await watch(server), await watch(server)];
  await Promise.all(clients.map((client) => client.message(trains)));
  const silent = await dial(server.port);
  const kept = await dial(server.port);
  kept.write(head('GET /health', { Connection: 'keep-alive' }));
  await once(kept, 'data');
  const ended = [silent, kept].map(heard);
  await Promise.all([server.close(), server.close()]);
  await server.close();
  assert.deepEqual(await Promise.all(clients.map(({ closed }) => closed)), Array(2).fill([1001, 'the server closes']));
  assert.deepEqual(await Promise.all(ended), ['', '']);
  await assert.rejects(dial(server.port), /ECONNREFUSED/);

  const { seq } = job.progress;
  const { server: next } = await openServer({ port: server.port }, workbench);
  const again = await watch(next);
  const newest = await again.message(trains);
  assert.ok('seq' in newest && newest.seq >= seq);
  await again.message((message) => trains(message) && 'seq' in message && message.seq > newest.seq);
  await jobs.cancel(job.id);
  await again.message(({ type }) => type === 'training_cancelled');
  const seqs = again.messages.filter((message): message is JobEvent => 'seq' in message).map((event) => event.seq);
  assert.deepEqual(
    seqs,
    seqs.map((_, index) => seqs[0]! + index),
  );
});

test('requests that are being answered are waited for, but not for long', async () => {
  const { server } = await openServer({ limits: { closeMs: 60_000, keepAliveMs: 60_000 } });
  const begin = async (port: number) => {
    const socket = await dial(port);
    socket.write(head('POST /sae/train', { 'Content-Length': '2', Connection: 'keep-alive', Expect: '100-continue' }));
    await once(socket, 'data');
    return socket;
  };
  const asking = await begin(server.port);
  const closed = server.close();
  const answer = heard(asking);
  asking.write('[]');
  assert.match(await answer, /^HTTP\/1.1 422 /);
  await closed;

  const { server: other, records } = await openServer({ limits: { closeMs: 50 } });
  const stalled = heard(await begin(other.port));
  await other.close();
  assert.equal(await stalled, '');
  await records.one(/^api INFO POST \/sae\/train aborted /);
});

test('nothing keeps a process alive whose server is closed', async () => {
  const program = path.join(__dirname, 'programs', 'serve.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program]);
  child.stderr.pipe(process.stderr);
  closeLater(() => child.kill('SIGKILL'));
  const lines = createInterface(child.stdout);
  const [port] = (await once(lines, 'line')) as [string];
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  await once(socket, 'open');
  await fetch(`http://127.0.0.1:${port}/sae/training/jobs`).then((reply) => reply.text());
  const idle = await dial(Number(port));
  socket.pause();
  child.stdin.end();
  const [warnings] = (await once(lines, 'line')) as [string];
  assert.equal(warnings, '[]');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  socket.terminate();
  idle.destroy();
});

test('a server leaves the globals of the process, which may be an editor, as they are', async () => {
  const before = [globalThis.Request, globalThis.Response];
  await openServer();
  assert.deepEqual([globalThis.Request, globalThis.Response], before);
});

test('the log tells where the server is, without its token', async () => {
  const { server, records } = await openServer();
  await server.close();
  assert.deepEqual(records.lines, [
    `api INFO The API is at ${server.url}.`,
    `api INFO The API at ${server.url} is closed.`,
  ]);
  assert.match(await say((await openServer()).server.port, head('GET /health')), /"version":"1.2.3"/);
});
