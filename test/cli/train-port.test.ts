import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import * as v from 'valibot';
import { WebSocket } from 'ws';
import { serverMessageSchema, type ServerMessage } from '../../src/shared/api.js';
import { jobEventSchema } from '../../src/shared/events.js';
import { temporaryFolder, tinyModel } from './cli.js';
import { at, served, startIw, type Served } from './serving.js';

const base = temporaryFolder();
const folder = () => mkdtempSync(path.join(base, 'case-'));
const small = [
  ...['--model', tinyModel, '--layer', '0', '--max-samples', '3', '--threads', '1'],
  ...['--latent-dim', '64', '--k', '4', '--batch-size', '128'],
];

/** Everything that a client is told until the server says goodbye, and the code with which it does. */
async function listen({ url, token }: Served): Promise<{ messages: ServerMessage[]; code: number }> {
  const messages: ServerMessage[] = [];
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, [`bearer.${token}`]);
  socket.on('message', (data: Buffer) => messages.push(v.parse(serverMessageSchema, JSON.parse(data.toString()))));
  const [code] = (await once(socket, 'close')) as [number];
  return { messages, code };
}

test('a run can be watched while it trains, standard output is its events alone, and clients learn of its end', async () => {
  const cwd = folder();
  const running = startIw(cwd, at(folder()), 'train', ...small, '--epochs', '30', '--json', '--port', '0');
  const server = await served(running);
  assert.match(running.err.join('\n'), /^API http/m);
  const listening = listen(server);
  // Another one waits while this one trains, and stops when this one has ended.
  const other = await server.call('POST', '/sae/train', { layer_idx: 1 });
  assert.equal(other.status, 202, JSON.stringify(other.body));
  const { code, stdout, stderr } = await running.ended;
  assert.equal(code, 0, stderr);
  const events = stdout.split('\n').map((line) => v.parse(jobEventSchema, JSON.parse(line)));
  const id = events[0]!.job_id;
  assert.ok(events.every((event) => event.job_id === id));
  assert.equal(events.at(-1)!.type, 'training_completed');
  assert.doesNotMatch(stdout, new RegExp(server.token));

  const client = await listening;
  assert.equal(client.code, 1001);
  const told = client.messages.filter((message) => 'job_id' in message && message.job_id === id);
  assert.equal(told.at(-1)?.type, 'training_completed');
  // What the client was told of the run is what standard output has, from the moment it came.
  assert.deepEqual(told, events.slice(events.length - told.length));
  assert.ok(told.length > 2);
  const last = client.messages.filter((message) => 'job_id' in message && message.job_id === other.body.job_id).at(-1);
  assert.equal(last?.type === 'training_progress' && last.status, 'interrupted');
  assert.match(stderr, new RegExp(`train --resume .*${String(other.body.job_id)}`));
  await assert.rejects(fetch(`${server.url}/health`));
});

test('a run that a client cancels ends with its checkpoint and the command that goes on', async () => {
  const running = startIw(folder(), at(folder()), 'train', ...small, '--epochs', '1000000', '--port', '0', '--quiet');
  const server = await served(running);
  const { body } = await server.call('GET', '/sae/training/jobs');
  const [job] = body.jobs as [{ job_id: string }];
  const listening = listen(server);
  const cancelled = await server.call('DELETE', `/sae/training/${job.job_id}`);
  assert.equal(cancelled.body.status, 'cancelled');
  const { code, stderr } = await running.ended;
  assert.equal(code, 130);
  assert.match(stderr, /To go on:\n {2}.* train --resume /);
  assert.equal((await listening).messages.at(-1)?.type, 'training_cancelled');
});

test('a port that is in use is said, and the next one taken', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  const cwd = folder();
  const running = startIw(cwd, at(folder()), 'train', ...small, '--epochs', '1', '--port', String(port));
  await running.line(new RegExp(`^Port ${port} is in use: the server has port \\d+ instead\\.$`));
  const { token } = await served(running);
  const { code } = await running.ended;
  holder.close();
  assert.equal(code, 0);
  assert.ok(!readFileSync(path.join(cwd, 'logs', 'api.log'), 'utf8').includes(token));
});

test('what is no port is refused before anything is started', async () => {
  const { code, stderr } = await startIw(folder(), at(folder()), 'train', ...small, '--port', 'eight').ended;
  assert.equal(code, 2);
  assert.match(stderr, /^error: --port is "eight", expected a number/);
});
