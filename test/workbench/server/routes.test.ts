import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import * as v from 'valibot';
import { RunLock } from '../../../src/run/lock.js';
import {
  cancelReplySchema,
  healthSchema,
  jobListSchema,
  jobViewSchema,
  mostBytes,
  type JobView,
  type TrainReply,
} from '../../../src/shared/api.js';
import type { RunState } from '../../../src/shared/panel.js';
import type { RunBoard } from '../../../src/workbench/run-board.js';
import { longRun, smallRun } from '../small-run.js';
import { openApi } from './api-client.js';

type Api = Awaited<ReturnType<typeof openApi>>;

/** Resolves with the run once the board shows it as wanted. */
function seen(board: RunBoard, id: string, wanted: (run: RunState) => boolean): Promise<RunState> {
  return new Promise((resolve) => {
    const look = () => {
      const run = board.get(id);
      if (!run || !wanted(run)) return;
      stop();
      resolve(run);
    };
    const stop = board.subscribe(look);
    look();
  });
}
const trains = ({ board }: Api, id: string) =>
  seen(board, id, (run) => run.owner === 'here' && run.progress.status === 'training' && run.progress.step > 0);
const is = ({ board }: Api, id: string, status: string) =>
  seen(board, id, (run) => run.owner === 'nobody' && run.progress.status === status);

async function started(api: Api, body: object): Promise<string> {
  const { status, body: reply } = await api.call('POST', '/sae/train', body);
  assert.equal(status, 202);
  return (reply as TrainReply).job_id;
}
const statusOf = async (api: Api, id: string) => (await api.call('GET', `/sae/training/status/${id}`)).body as JobView;

test('a training from its request to its weights', async () => {
  const api = await openApi();
  const { layer_idx, latent_dim, max_epochs, ...config } = smallRun;
  const { status, body } = await api.call('POST', '/sae/train', { layer_idx, latent_dim, max_epochs, config });
  const reply = body as TrainReply;
  assert.equal(status, 202);
  assert.deepEqual(
    { ...reply, job_id: '' },
    {
      success: true,
      job_id: '',
      message: 'The training has started.',
      output_dir: path.join(api.runsFolder, reply.job_id),
    },
  );
  assert.deepEqual(v.parse(healthSchema, (await api.call('GET', '/health')).body).jobs, { running: 1, queued: 0 });

  const running = await statusOf(api, reply.job_id);
  assert.equal(running.completed_at, null);
  assert.equal(running.config.latent_dim, latent_dim);
  await api.jobs.get(reply.job_id).ended;
  const done = await statusOf(api, reply.job_id);
  // What is documented is all there is.
  assert.deepEqual(v.parse(jobViewSchema, done), done);
  assert.equal(done.status, 'completed');
  assert.deepEqual(done.progress, { current_epoch: 3, total_epochs: 3, percent: 100 });
  assert.equal(done.layer_idx, 0);
  assert.ok(existsSync(done.model_path!) && done.checkpoint === null && done.error === undefined);
  assert.ok(done.created_at <= done.started_at! && done.started_at! < done.completed_at!);
  assert.ok(done.metrics.train_loss! > 0);

  await is(api, reply.job_id, 'completed');
  const list = await api.call('GET', '/sae/training/jobs');
  const settled = await statusOf(api, reply.job_id);
  assert.deepEqual(v.parse(jobListSchema, list.body), { jobs: [settled], total: 1 });
  assert.equal(settled.config.learning_rate !== undefined, true);
  assert.deepEqual({ ...settled, seq: 0, config: {} }, { ...done, seq: 0, config: {} });
  const files = readdirSync(done.output_dir);
  assert.ok(files.includes('sae_weights.safetensors') && files.includes('cfg.json'));
});

test('a job is paused, goes on, is cancelled when its engine is gone, and is resumed under its id', async () => {
  const api = await openApi();
  const id = await started(api, { config: longRun });
  await trains(api, id);
  assert.equal(await api.refused('POST', `/sae/training/${id}/resume`), '409 wrong_state');
  const paused = (await api.call('POST', `/sae/training/${id}/pause`)).body as JobView;
  assert.equal(paused.status, 'paused');
  assert.equal(await api.refused('POST', `/sae/training/${id}/pause`), '409 wrong_state');
  assert.equal(((await api.call('POST', `/sae/training/${id}/resume`)).body as JobView).status, 'training');

  const cancelled = await api.call('DELETE', `/sae/training/${id}`);
  const { output_dir, ...now } = await statusOf(api, id);
  assert.equal(await RunLock.owner(output_dir), null);
  assert.equal(api.jobs.get(id).state, 'over');
  assert.deepEqual(v.parse(cancelReplySchema, cancelled.body), {
    success: true,
    status: 'cancelled',
    checkpoint: now.checkpoint,
  });
  assert.ok(now.status === 'cancelled' && existsSync(now.checkpoint!) && now.metrics.train_loss! > 0);
  for (const [method, end] of [
    ['DELETE', ''],
    ['POST', '/pause'],
  ] as const) {
    assert.equal(await api.refused(method, `/sae/training/${id}${end}`), '409 wrong_state');
  }

  const again = (await api.call('POST', `/sae/training/${id}/resume`)).body as JobView;
  assert.ok(again.job_id === id && again.attempt === 2 && again.created_at === now.created_at);
  await trains(api, id);
  assert.deepEqual((await api.call('DELETE', `/sae/training/${id}`)).status, 200);
  assert.equal((await statusOf(api, id)).attempt, 2);
});

test('cancelling tells what the job really ended as', async () => {
  const api = await openApi();
  const id = await started(api, { config: { ...smallRun, cross_entropy_tokens: 0, feature_tokens: 0 } });
  // At the last phase the engine may be done before it hears of it, or may not.
  await seen(api.board, id, ({ progress }) => progress.phase === 'saving' || progress.status === 'completed');
  const reply = await api.call('DELETE', `/sae/training/${id}`);
  const { status } = await api.jobs.get(id).ended;
  if (reply.status === 409) assert.equal(status, 'completed');
  else assert.deepEqual(reply.body, { ...(reply.body as object), success: status === 'cancelled', status });
});

test('a job of another process is shown, and whoever would change it is told where it is', async () => {
  const other = await openApi();
  const api = await openApi({ base: other.base });
  const id = await started(other, { config: longRun });
  await trains(other, id);
  await api.board.refresh();
  const { output_dir, status } = await statusOf(api, id);
  assert.ok(['starting', 'preparing', 'training'].includes(status), status);
  const { pid } = (await RunLock.owner(output_dir))!;
  for (const [method, end] of [
    ['DELETE', ''],
    ['POST', '/pause'],
    ['POST', '/resume'],
  ] as const) {
    const where = `/sae/training/${id}${end}`;
    assert.equal(await api.refused(method, where), '409 run_in_use');
    assert.match((await api.call(method, where)).text, new RegExp(`process ${pid} on `));
  }
  await other.jobs.dispose();
  await api.board.refresh();
  assert.equal((await statusOf(api, id)).status, 'interrupted');
  assert.equal(await api.refused('DELETE', `/sae/training/${id}`), '409 wrong_state');
  // What was trained elsewhere goes on here.
  const resumed = (await api.call('POST', `/sae/training/${id}/resume`)).body as JobView;
  assert.ok(resumed.job_id === id && resumed.attempt === 2);
  await trains(api, id);
  assert.equal(((await api.call('DELETE', `/sae/training/${id}`)).body as { success: boolean }).success, true);
});

test('the queue takes as many as it may hold, also of those that come at once', async () => {
  const api = await openApi({ limits: { queueLimit: 5 } });
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => api.call('POST', '/sae/train', { config: longRun })),
  );
  const taken = answers.filter(({ status }) => status === 202).map(({ body }) => body as TrainReply);
  // One runs, five wait.
  assert.equal(taken.length, 6);
  assert.equal(taken.filter(({ message }) => message.includes('waits')).length, 5);
  assert.ok(answers.every(({ status, text }) => status === 202 || (status === 503 && text.includes('queue_full'))));
  assert.equal(readdirSync(api.runsFolder).filter((name) => name !== '.gitignore').length, 6);
  assert.deepEqual(((await api.call('GET', '/health')).body as { jobs: object }).jobs, { running: 1, queued: 5 });
  const waiting = api.jobs.list().find(({ state }) => state === 'waiting')!;
  assert.equal(await api.refused('POST', `/sae/training/${waiting.id}/pause`), '409 wrong_state');
  const cancelled = (await api.call('DELETE', `/sae/training/${waiting.id}`)).body;
  assert.deepEqual(cancelled, { success: true, status: 'cancelled', checkpoint: null });
  assert.equal((await api.call('POST', '/sae/train', { config: longRun })).status, 202);
  assert.equal(await api.refused('POST', `/sae/training/${waiting.id}/resume`), '503 queue_full');
});

test('input that turns out to be unusable is a job that says why', async () => {
  const api = await openApi();
  const id = await started(api, { layer_idx: 99, config: { model: smallRun.model!, text: smallRun.text! } });
  await api.jobs.get(id).ended;
  const { error, status } = await statusOf(api, id);
  assert.equal(status, 'failed');
  assert.equal(error?.code, 'hook_not_found');
  assert.ok(error.hint.length > 0);
  await is(api, id, 'failed');
  assert.equal(await api.refused('POST', `/sae/training/${id}/resume`), '409 wrong_state');
});

test('what is not there is 404, what cannot be done there is 405', async () => {
  const { call, refused, app } = await openApi();
  const unknown = ['/nothing', '/sae/train/', '/sae/training', '/SAE/train', '/ws/x', '/%ff'];
  for (const where of unknown) {
    assert.equal(await refused('GET', where), '404 not_found', where);
  }
  const jobs: [string, string][] = [
    ['GET', '/sae/training/status/none'],
    ['GET', `/sae/training/status/${'x'.repeat(4000)}`],
    ['GET', '/sae/training/status/%2e%2e%2f%00'],
    ['GET', '/sae/training/status/%f0%28'],
    ['DELETE', '/sae/training/none'],
    ['POST', '/sae/training/none/pause'],
    ['POST', '/sae/training/__proto__/resume'],
  ];
  for (const [method, where] of jobs) assert.equal(await refused(method, where), '404 job_not_found', where);

  const methods: [string, string, string][] = [
    ['POST', '/health', 'GET, HEAD'],
    ['GET', '/sae/train', 'POST'],
    ['PUT', '/sae/training/jobs', 'GET, HEAD'],
    ['OPTIONS', '/openapi.json', 'GET, HEAD'],
    ['GET', '/sae/training/none', 'DELETE'],
    ['PATCH', '/sae/training/none/pause', 'POST'],
  ];
  for (const [method, where, allow] of methods) {
    const reply = await call(method, where, method === 'GET' ? undefined : '{');
    assert.equal(reply.status, 405);
    assert.equal(reply.headers.get('allow'), allow);
  }
  assert.equal(await refused('GET', '/ws'), '426 upgrade_required');

  const head = await call('HEAD', '/sae/training/jobs');
  assert.deepEqual([head.status, head.text], [200, '']);
  assert.equal((await call('HEAD', '/sae/train')).status, 405);
  // Without a server around it the app answers too.
  assert.equal((await app.request('/health')).status, 200);
});

test('bodies that are no JSON object are refused', async () => {
  const { refused, call, jobs } = await openApi();
  const train = (body: string | Uint8Array) => refused('POST', '/sae/train', body);
  for (const body of ['{', '{"layer_idx": 1,}', 'NaN', "{'layer_idx': 1}", '\u0000', '{"a":"\u0001"}', '\u{feff}{']) {
    assert.equal(await train(body), '400 not_json', body);
  }
  assert.equal(await train(new Uint8Array()), '400 not_json');
  assert.equal(await refused('POST', '/sae/train'), '400 not_json');
  for (const bytes of [
    [0xff, 0xfe, 0x7b],
    [0x22, 0xc0, 0x80, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
  ]) {
    assert.equal(await train(Uint8Array.from(bytes)), '400 not_json');
  }
  for (const body of ['[]', 'null', '"text"', '7', 'true']) assert.equal(await train(body), '422 config_invalid');
  assert.equal(await train(`{"layer_idx":${'['.repeat(30_000)}${']'.repeat(30_000)}}`), '400 not_json');
  assert.equal(await train(`{"config":{"provenance":${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}}}`), '400 not_json');
  assert.equal(await train(`{"${'x'.repeat(60_000)}": 1}`), `422 config_invalid ${'x'.repeat(1000)}…`);
  const lone = await call('POST', '/sae/train', '{"model":"\\ud800"}');
  assert.equal(lone.status, 422);
  assert.deepEqual(jobs.list(), []);
});

test('a body of 64 KiB is read, a larger one is not, however it is sent', async () => {
  const { refused, port } = await openApi();
  const ofBytes = (bytes: number) => `{"none":"${'x'.repeat(bytes - 11)}"}`;
  assert.equal(await refused('POST', '/sae/train', ofBytes(mostBytes)), '422 config_invalid none');
  assert.equal(await refused('POST', '/sae/train', ofBytes(mostBytes + 1)), '413 too_large');
  assert.equal(await refused('POST', '/sae/train', new Uint8Array(8 << 20)), '413 too_large');

  // In chunks, of a length that is not told and that has no end.
  const endless = request({ port, host: '127.0.0.1', method: 'POST', path: '/sae/train' });
  const status = await new Promise<number | undefined>((resolve) => {
    const more = () => {
      while (!endless.destroyed && endless.write(Buffer.alloc(8192, 0x20)));
    };
    endless.on('drain', more).on('error', () => undefined);
    endless.on('response', (response) => {
      resolve(response.statusCode);
      response.resume();
      endless.destroy();
    });
    more();
  });
  assert.equal(status, 413);

  // Whoever goes away in the middle of a body harms nobody.
  const socket = connect(port, '127.0.0.1');
  socket.write('POST /sae/train HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"layer');
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.destroy();
  assert.equal(await refused('GET', '/sae/training/status/none'), '404 job_not_found');
});

test('what nobody expected is logged with its stack, and the client is told a sentence', async () => {
  const { call, logged } = await openApi({
    runsFolder: () => {
      throw new TypeError('secret is not a function');
    },
  });
  const { status, text } = await call('POST', '/sae/train', { layer_idx: 0 });
  assert.equal(status, 500);
  assert.ok(text.includes('"internal"') && !text.includes('secret') && !text.includes('.ts'), text);
  assert.deepEqual(
    logged.map(({ level, message }) => [level, message]),
    [['ERROR', 'Something unexpected happened: secret is not a function']],
  );
  assert.match(logged[0]!.stack!, /routes\.test\.ts/);
});

test('health tells how long the server has been there', async () => {
  const api = await openApi({ startedAt: Date.now() - 90_000 });
  const health = v.parse(healthSchema, (await api.call('GET', '/health')).body);
  assert.ok(health.uptime >= 90 && health.uptime < 120);
  assert.deepEqual(
    { ...health, uptime: 0 },
    {
      status: 'healthy',
      version: '1.2.3',
      uptime: 0,
      jobs: { running: 0, queued: 0 },
    },
  );
});
