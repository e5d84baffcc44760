import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { JobView } from '../../src/shared/api.js';
import { RunLock } from '../../src/run/lock.js';
import { temporaryFolder, tinyModel } from './cli.js';
import { at, type Served, served, startIw } from './serving.js';

const base = temporaryFolder();
const folder = () => mkdtempSync(path.join(base, 'case-'));
const addressFiles = (home: string) => readdirSync(path.join(home, '.interpretability-workbench', 'servers'));

/** A run that does not end within a test. */
const endless = {
  ...{ model: tinyModel, layer_idx: 0, latent_dim: 64, k: 4, batch_size: 128 },
  config: { max_samples: 3, max_epochs: 1_000_000, threads: 1 },
};

/** Resolves when a job trains. */
async function training({ call }: Served, id: string): Promise<JobView> {
  for (;;) {
    const job = (await call('GET', `/sae/training/status/${id}`)).body as JobView;
    assert.ok(['queued', 'starting', 'preparing', 'training'].includes(job.status), JSON.stringify(job));
    if (job.phase === 'training' && job.step > 0) return job;
  }
}

test('a server tells its address, its token once, and where clients find both; Ctrl-C ends it and takes that back', async () => {
  const home = folder();
  const cwd = folder();
  const server = await served(startIw(cwd, at(home), 'serve', '--port', '0'));
  assert.deepEqual(addressFiles(home), [`${new URL(server.url).port}.json`]);
  const [, file] = await server.running.line(/^clients find it in +(.*)$/);
  const told = JSON.parse(readFileSync(file!, 'utf8')) as Record<string, unknown>;
  assert.equal(told.url, server.url);
  assert.equal(told.token, server.token);
  assert.ok(server.token.length >= 43);
  assert.equal((await fetch(`${server.url}/sae/training/jobs`)).status, 401);
  assert.equal((await fetch(`${server.url}/sae/training/jobs?token=${server.token}`)).status, 200);
  await server.running.line(/ - api - WARNING - GET \/sae\/training\/jobs 401 /);
  await server.running.line(/ - api - INFO - GET \/sae\/training\/jobs 200 /);
  server.running.child.kill('SIGINT');
  const { code, stdout, stderr } = await server.running.ended;
  assert.equal(code, 130);
  assert.equal(stdout.split(server.token).length, 2, 'the token stands once on standard output');
  const log = readFileSync(path.join(cwd, 'logs', 'api.log'), 'utf8');
  assert.doesNotMatch(stderr + log, new RegExp(server.token));
  assert.doesNotMatch(stderr, /checkpoint/);
  assert.deepEqual(addressFiles(home), []);
});

test('IW_TOKEN is the token, a port in use is not taken, and a second server has its own address file', async () => {
  const home = folder();
  const env = at(home, { IW_TOKEN: 'my-own-token-for-this' });
  const first = await served(startIw(folder(), env, 'serve', '--port', '0'));
  assert.equal(first.token, 'my-own-token-for-this');
  const { port } = new URL(first.url);
  const second = await served(startIw(folder(), env, 'serve', '--port', port));
  assert.notEqual(second.url, first.url);
  await second.running.line(new RegExp(`Port ${port} is in use: the server has port ${new URL(second.url).port}`));
  assert.equal(addressFiles(home).length, 2);
  assert.equal((await second.call('GET', '/sae/training/jobs')).status, 200);
});

test('without a token it says what that means, and pages of other origins are still refused', async () => {
  const running = startIw(
    folder(),
    at(folder()),
    'serve',
    '--port',
    '0',
    '--no-auth',
    '--allow-origin',
    'http://a.test:3000',
  );
  const [, url = ''] = await running.line(/^API +(\S+)$/);
  await running.line(/ - api - WARNING - .*every program and every user of this machine/);
  const from = (origin: string) => fetch(`${url}/sae/training/jobs`, { headers: { origin } });
  assert.equal((await fetch(`${url}/sae/training/jobs`)).status, 200);
  assert.equal((await from('http://evil.test')).status, 403);
  assert.equal((await from('http://a.test:3000')).status, 200);
});

test('Ctrl-C stops runs with a checkpoint; the next server shows them and goes on with them', async () => {
  const root = folder();
  const args = ['serve', '--port', '0', '--root', root, '--allow-folder', tinyModel];
  const first = await served(startIw(folder(), at(folder()), ...args));
  const started = await first.call('POST', '/sae/train', endless);
  assert.equal(started.status, 202, JSON.stringify(started.body));
  const id = String(started.body.job_id);
  const waiting = String((await first.call('POST', '/sae/train', endless)).body.job_id);
  const before = await training(first, id);
  assert.equal(path.dirname(before.output_dir), path.join(root, '.interpretability', 'runs'));
  first.running.child.kill('SIGINT');
  const { code, stderr } = await first.running.ended;
  assert.equal(code, 130);
  assert.match(stderr, /^Stopping after a checkpoint; once more stops at once\.$/m);
  assert.match(stderr, new RegExp(`train --resume .*${id}$`, 'm'));

  const second = await served(startIw(folder(), at(folder()), ...args));
  await second.running.line(/^interrupted runs +2, which can be resumed$/);
  const resumed = await second.call('POST', `/sae/training/${id}/resume`);
  assert.equal(resumed.status, 200, JSON.stringify(resumed.body));
  const after = await training(second, id);
  assert.equal(after.attempt, 2);
  assert.ok(after.step >= before.step, `${after.step} goes on from ${before.step}`);
  const cancelled = await second.call('DELETE', `/sae/training/${id}`);
  assert.equal(cancelled.body.status, 'cancelled');
  assert.equal(((await second.call('GET', `/sae/training/status/${waiting}`)).body as JobView).status, 'interrupted');
});

const canFreeze = process.platform !== 'win32';
test(
  'a second Ctrl-C ends runs at once, even if their engine does not answer',
  { skip: !canFreeze && 'Windows has no SIGSTOP' },
  async () => {
    const server = await served(startIw(folder(), at(folder()), 'serve', '--port', '0', '--allow-folder', tinyModel));
    const { body } = await server.call('POST', '/sae/train', endless);
    const { output_dir } = await training(server, String(body.job_id));
    const { pid } = (await RunLock.owner(output_dir))!;
    process.kill(pid, 'SIGSTOP');
    const { ended } = server.running;
    server.running.child.kill('SIGINT');
    await server.running.line(/^Stopping after a checkpoint/);
    const since = performance.now();
    // Within half a second a second one counts as the same.
    const answered = () =>
      fetch(`${server.url}/health`)
        .then(() => undefined)
        .catch(() => undefined);
    while ((await Promise.race([ended, answered()])) === undefined) server.running.child.kill('SIGINT');
    assert.equal((await ended).code, 130);
    assert.ok(performance.now() - since < 8000, 'sooner than an engine that does not answer is killed anyway');
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  },
);

test('what requests leave out is what the flags say, other folders have to be allowed, and levels are per component', async () => {
  const root = folder();
  const elsewhere = folder();
  const cwd = folder();
  writeFileSync(path.join(elsewhere, 'a.txt'), 'The people of this nation. '.repeat(200));
  const flags = ['--model', tinyModel, '--text', path.join(elsewhere, 'a.txt'), '--log-level', 'ERROR'];
  const more = ['--log-level', 'websocket=info', '--concurrency', '2'];
  const server = await served(startIw(cwd, at(folder()), 'serve', '--port', '0', '--root', root, ...flags, ...more));
  const request = { layer_idx: 0, latent_dim: 64, k: 4, batch_size: 64, max_epochs: 1_000_000 };
  const [one, two] = [
    await server.call('POST', '/sae/train', request),
    await server.call('POST', '/sae/train', request),
  ];
  const job = await training(server, String(one.body.job_id));
  assert.equal(job.config.model, tinyModel);
  assert.deepEqual(job.config.text, [path.join(elsewhere, 'a.txt')]);
  await training(server, String(two.body.job_id));
  const refused = await server.call('POST', '/sae/train', { ...request, text: path.join(elsewhere, 'a.txt') });
  assert.equal(refused.status, 422);
  assert.match(JSON.stringify(refused.body), /path_not_allowed/);
  const socket = new (await import('ws')).WebSocket(`${server.url.replace('http', 'ws')}/ws?token=${server.token}`);
  await server.running.line(/ - websocket - INFO - /);
  socket.terminate();
  server.running.child.kill('SIGINT');
  const { stderr } = await server.running.ended;
  assert.doesNotMatch(stderr, / - (api|training) - (INFO|WARNING) - /);
});

test('flags that cannot be what they say are refused', async () => {
  const cwd = folder();
  const refusals: [RegExp, ...string[]][] = [
    [/^error: --port is "70000"/, '--port', '70000'],
    [/^error: --port is "http"/, '--port', 'http'],
    [/^error: --root: there is no folder /, '--root', 'nowhere'],
    [/^error: --allow-folder: there is no folder /, '--allow-folder', 'nowhere'],
    [/^error: --concurrency is "0"/, '--concurrency', '0'],
    [/^error: --log-level is "LOUD"/, '--log-level', 'LOUD'],
    [/components are api, model/, '--log-level', 'kitchen=INFO'],
    [/^error: .*"a\.test" is not the origin/m, '--port', '0', '--allow-origin', 'a.test'],
  ];
  await Promise.all(
    refusals.map(async ([expected, ...args]) => {
      const { code, stderr } = await startIw(cwd, at(folder()), 'serve', ...args).ended;
      assert.equal(code, 2, stderr);
      assert.match(stderr, expected);
      assert.match(stderr, /\nhint: \S/);
    }),
  );
  const secret = 'too-short';
  const short = await startIw(cwd, at(folder(), { IW_TOKEN: secret }), 'serve', '--port', '0').ended;
  assert.equal(short.code, 2, short.stderr);
  assert.match(short.stderr, /^error: The token for the API/m);
  assert.ok(!short.stderr.includes(secret));
});
