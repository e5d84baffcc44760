import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../src/engine/random.js';
import type { ServerMessage, TrainReply } from '../../../src/shared/api.js';
import { repeats } from '../../soak.js';
import { longRun, smallRun } from '../small-run.js';
import { schemaChecks, type OpenApi } from './api-client.js';
import { Conversation } from './fuzz/conversation.js';
import { Frames } from './fuzz/frames.js';
import { JsonValues, type Schema } from './fuzz/json-values.js';
import type { Holdings } from './fuzz/server.js';
import { assertFlat, Target } from './fuzz/target.js';
import { watch } from './open-server.js';

const seed = Number(process.env.IW_SEED ?? 1);
/** Clients at the same time. */
const lanes = 6;

/** Talks to the server with so many frames, several clients at a time; what the process held after each quarter. */
async function talk(
  target: Target,
  document: OpenApi,
  total: number,
): Promise<{ quarters: Holdings[]; sent: number; clients: number }> {
  const schemas = document.components.schemas as Record<string, Schema>;
  const faults = schemaChecks(document);
  const onEvent = (event: ServerMessage) => {
    assert.equal(faults('#/components/schemas/ServerMessage', event), null);
  };
  const quarters: Holdings[] = [];
  let sent = 0;
  let clients = 0;
  let measured = 0;
  const lane = async (number: number) => {
    const random = new Random(seed, `lane ${number}`);
    const frames = new Frames(random, new JsonValues(random, schemas), schemas.ClientMessage!);
    for (let n = 0; sent < total; n++) {
      const conversation = new Conversation(random, frames, target.port, onEvent);
      try {
        sent += await conversation.hold();
      } catch (error) {
        const fault = `${(error as Error).message}\nseed ${seed}, lane ${number}, client ${n}, heard last: ${conversation.story}`;
        throw new Error(fault, { cause: error });
      }
      clients++;
      if (sent < (total / 4) * (measured + 1)) continue;
      measured++;
      quarters.push(await target.measure());
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  quarters.push(await target.measure());
  return { quarters, sent, clients };
}

const request = ({ layer_idx, latent_dim, k, batch_size, max_epochs }: typeof smallRun) => ({
  ...{ layer_idx, latent_dim, k, batch_size, max_epochs },
  config: { max_samples: 3, threads: 1 },
});

test('whatever is said over /ws is answered or ends the connection, costs no memory and disturbs nobody', async (t) => {
  const target = await Target.start();
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = await fetch(target.url + path, { method, headers: target.headers, ...sent });
    assert.ok(reply.ok, `${method} ${path}: ${reply.status}`);
    return (await reply.json()) as T;
  };
  const document = await call<OpenApi>('GET', '/openapi.json');
  // All the while there are events, which go to whoever is connected.
  const long = await call<TrainReply>('POST', '/sae/train', request(longRun));
  const quiet = await watch(target);
  const { quarters, sent, clients } = await talk(target, document, repeats(2000, 20_000));
  t.diagnostic(`${sent} frames of ${clients} clients`);
  const memory = quarters.map(({ heapUsed, rss, descriptors }) => [heapUsed / 1e6, rss / 1e6, descriptors]);
  t.diagnostic(`memory: ${JSON.stringify(memory)}`);
  assertFlat(quarters, { heapUsed: 6e6, rss: 60e6, descriptors: 20 });

  await call('DELETE', `/sae/training/${long.job_id}`);
  const { job_id } = await call<TrainReply>('POST', '/sae/train', request(smallRun));
  const polite = await watch(target);
  polite.socket.send('{"type":"ping"}');
  const isEnd = (message: ServerMessage) => message.type === 'training_completed' && message.job_id === job_id;
  for (const client of [quiet, polite]) await client.message(isEnd);
  await polite.message(({ type }) => type === 'pong');
  const seen = quiet.messages.flatMap((message) =>
    'job_id' in message && message.job_id === long.job_id ? [message.seq] : [],
  );
  assert.deepEqual(
    seen,
    seen.map((_, i) => seen[0]! + i),
    'who said nothing missed nothing',
  );
  assert.equal(
    quiet.messages.some(({ type }) => type === 'error'),
    false,
  );
  for (const client of [quiet, polite]) client.socket.close();
  assert.deepEqual(target.logged(new RegExp(target.token)), []);
  assert.deepEqual(target.logged(/ - (api|websocket|extension) - ERROR - /), []);
  assert.deepEqual(await target.close(), []);
});
