import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import * as v from 'valibot';
import { version } from '../../../package.json';
import { errorReplySchema, healthSchema } from '../../shared/api.js';
import { type Check, expect, type Finding } from './check.js';
import type { Place, Reply } from './place.js';

/** The API server, as clients meet it. */

async function start(place: Place): Promise<Finding> {
  const { url } = await place.openServer();
  const { status, body } = await place.request('GET', '/health', undefined, null);
  expect(status === 200, `GET /health was answered ${status}.`);
  const health = v.parse(healthSchema, body);
  expect(health.version === version, `It is version ${health.version} that answers.`, 'End the other server.');
  return `${url} answers`;
}

/** The file by which clients find the server: nobody else may read it. */
async function addressFile(place: Place): Promise<Finding> {
  const { addressFile: file, url, token } = place.server;
  const hint = 'Check that the home folder can be written; until then give clients IW_URL and IW_TOKEN.';
  expect(
    file !== undefined,
    'The address file cannot be written in the home folder: clients cannot find the server.',
    hint,
  );
  const told = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  expect(told.url === url && told.token === token && told.pid === process.pid, `${file} does not tell of this server.`);
  const { mode } = await stat(file);
  const readable = process.platform !== 'win32' && (mode & 0o077) !== 0;
  expect(!readable, `${file} can be read by others.`, 'Keep the home folder on a file system with permissions.');
  return `${file}, for you alone`;
}

async function token(place: Place): Promise<Finding> {
  const without = await place.request('GET', '/sae/training/jobs', undefined, null);
  const wrong = await place.request('GET', '/sae/training/jobs', undefined, 'x'.repeat(43));
  const right = await place.request('GET', `/sae/training/jobs?token=${place.server.token ?? ''}`, undefined, null);
  const statuses = [without, wrong, right].map(({ status }) => status).join(', ');
  expect(statuses === '401, 401, 200', `Without, with a wrong and with the right token: ${statuses}.`);
  return 'required: without it, or with a wrong one, 401';
}

async function webSocket(place: Place): Promise<Finding> {
  const socket = await place.connect();
  socket.send('{"type":"ping"}');
  await place.hear(({ type }) => (type === 'pong' ? true : undefined));
  return 'connects and answers';
}

/** What is wrong with a request is told in a sentence, and the server goes on. */
async function refusal(place: Place): Promise<Finding> {
  const request = { model: 'no-such-model', layer_idx: 0 };
  const sentence = refusalOf(await place.request('POST', '/sae/train', request), 422);
  await stillHealthy(place);
  return `a missing model: “${sentence}”`;
}

function refusalOf({ status, body }: Reply, expected: number): string {
  const reply = v.safeParse(errorReplySchema, body);
  expect(status === expected && reply.success, `It was answered ${status}: ${JSON.stringify(body)}`);
  return reply.output.error.message;
}

export async function stillHealthy(place: Place): Promise<void> {
  const { status } = await place.request('GET', '/health', undefined, null);
  expect(status === 200, `Afterwards GET /health was answered ${status}.`);
}

async function close(place: Place): Promise<Finding> {
  const { addressFile: file, url } = place.server;
  await place.closeServer();
  expect(file === undefined || !existsSync(file), `${String(file)} is still there.`);
  const answers = await fetch(`${url}/health`).then(
    () => true,
    () => false,
  );
  expect(!answers, `${url} still answers.`);
  return 'closes and leaves nothing behind';
}

export const serverChecks: readonly Check<Place>[] = [
  { name: 'server', needs: ['temporary folder'], run: start },
  { name: 'address file', needs: ['server'], run: addressFile },
  { name: 'token', needs: ['server'], run: token },
  { name: 'WebSocket', needs: ['server'], run: webSocket },
  { name: 'refusal', needs: ['server'], run: refusal },
];

export const closingChecks: readonly Check<Place>[] = [{ name: 'closing', needs: ['server'], within: 20, run: close }];
