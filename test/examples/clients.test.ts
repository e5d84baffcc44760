import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { JobView } from '../../src/shared/api.js';
import { openBrowser } from '../browser.js';
import { temporaryFolder, tinyModel } from '../cli/cli.js';
import { at, Running, served, startIw, type Served } from '../cli/serving.js';

/** The example clients of Node and browsers against `iw serve`; test/interop/clients.py has those in Python. */

const base = temporaryFolder();
const folder = () => mkdtempSync(path.join(base, 'case-'));
const home = folder();
const root = folder();
const client = path.resolve('examples', 'clients', 'watch.mjs');
const browser = openBrowser();
let server: Served;

before(async () => {
  const lines = Array.from({ length: 20 }, (_, i) =>
    JSON.stringify({ text: `Document ${i} of this nation. `.repeat(20) }),
  );
  writeFileSync(path.join(root, 'a.jsonl'), `${lines.join('\n')}\n`);
  const source = ['--model', tinyModel, '--text', path.join(root, 'a.jsonl')];
  server = await served(startIw(root, at(home), 'serve', '--port', '0', '--concurrency', '4', ...source));
});

const watch = (env: NodeJS.ProcessEnv, ...flags: string[]) =>
  new Running(process.execPath, [client, ...flags], folder(), env);
const small = ['--layer', '1', '--latent-dim', '64', '--epochs', '2'];
/** A run that does not end within a test. */
const endless = ['--layer', '1', '--latent-dim', '64', '--epochs', '1000000'];

/** The newest job, once it is as wanted. */
async function newest(wanted: (job: JobView) => boolean): Promise<JobView> {
  const signal = AbortSignal.timeout(60_000);
  for (;;) {
    signal.throwIfAborted();
    const [job] = (await server.call('GET', '/sae/training/jobs')).body.jobs as JobView[];
    if (job && wanted(job)) return job;
  }
}

test('the examples are short enough to be copied', () => {
  for (const name of ['poll.py', 'watch.py', 'watch.mjs', 'browser.html']) {
    const lines = readFileSync(path.resolve('examples', 'clients', name), 'utf8').split('\n').length - 1;
    assert.ok(lines <= 80, `${name} has ${lines} lines`);
  }
});

test('in Node a run is started and watched to its end, with a server found by itself', async () => {
  const { code, stdout, stderr } = await watch(at(home), ...small).ended;
  assert.equal(code, 0, stderr);
  const lines = stdout.split('\n');
  const [, weights = ''] = /^Training complete: (.*)$/.exec(lines.pop()!) ?? [];
  assert.match(weights, /sae_weights\.safetensors$/);
  assert.ok(readFileSync(weights).length > 0);
  for (const line of lines) assert.match(line, /^Training \d+\.\d% complete, epoch \d+ of 2, loss (null|[\d.]+)$/);
  assert.match(lines.at(-1)!, /^Training 100\.0% complete, epoch 2 of 2, loss \d/);
  assert.equal(new Set(lines).size, lines.length);
});

test('recorded activations are named as a person names a file, and what is refused is told', async () => {
  const { code, stderr } = await watch(at(home), '--layer', '1', '--activations', 'none.parquet').ended;
  assert.equal(code, 1);
  assert.match(stderr, /none\.parquet lies outside the folders that requests may name\. \S/);
  const failed = await watch(at(home), '--layer', '99').ended;
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^Training failed: The model has no layer 99: .+ Choose \S/m);
});

test('without a server, or with one that refuses the token, it says so', async () => {
  const without = await watch(at(folder()), ...small).ended;
  assert.equal(without.code, 1);
  assert.match(without.stderr, /^No server answers\. Start one with: iw serve$/m);
  const wrong = await watch(at(folder(), { IW_URL: server.url, IW_TOKEN: 'not-the-token-of-it' }), ...small).ended;
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^The token is missing or wrong\./m);
});

test('Ctrl-C leaves the job running and says so', async () => {
  const running = watch(at(home), ...endless);
  await running.line(/, loss \d/);
  running.child.kill('SIGINT');
  const { code, stderr } = await running.ended;
  assert.equal(code, 130);
  const [, id] = /^Job (\S+) goes on without you\.$/m.exec(stderr)!;
  const job = (await server.call('GET', `/sae/training/status/${id!}`)).body as JobView;
  assert.equal(job.status, 'training');
  assert.equal((await server.call('DELETE', `/sae/training/${id!}`)).status, 200);
});

/** A way to the server that can be cut, as a notebook's connection is when a laptop sleeps. */
async function openDetour(): Promise<{ url: string; cut: () => void; cuts: () => number }> {
  const open = new Set<Socket>();
  let ended = 0;
  const detour = createServer((socket) => {
    const onward = connect(Number(new URL(server.url).port), '127.0.0.1');
    for (const each of [socket, onward]) {
      open.add(each);
      each.on('error', () => undefined).on('close', () => open.delete(each));
    }
    socket.pipe(onward).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(detour, 'listening');
  const cut = () => {
    ended += open.size;
    for (const each of open) each.destroy();
  };
  after(() => {
    cut();
    detour.close();
  });
  const { port } = detour.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, cut, cuts: () => ended };
}

test('a connection that drops is made again, and nothing of the end is missed', async () => {
  const detour = await openDetour();
  const running = watch(at(folder(), { IW_URL: `${detour.url}/?token=${server.token}` }), ...endless);
  await running.line(/, loss \d/);
  detour.cut();
  assert.ok(detour.cuts() > 0);
  const job = await newest(({ status }) => status === 'training');
  // It ends while nobody is connected.
  assert.equal((await server.call('DELETE', `/sae/training/${job.job_id}`)).body.status, 'cancelled');
  const { code, stderr } = await running.ended;
  assert.equal(code, 1);
  assert.match(stderr, /^Training cancelled: what was trained is kept in \S/m);
});

test('the page starts a run and shows its progress live, and what is refused', async () => {
  const page = await (await browser).newPage();
  const faults: string[] = [];
  page.on('pageerror', ({ message }) => faults.push(message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.goto(`${server.url}/?token=${server.token}`);
  await page.getByLabel('layer_idx').fill('1');
  await page.getByLabel('latent_dim').fill('64');
  await page.getByLabel('max_epochs').fill('2');
  await page.getByRole('button', { name: 'Train' }).click();
  await page.getByText('The training has started.').waitFor();
  const row = page.getByRole('row').first();
  await row.getByText('completed', { exact: true }).waitFor();
  assert.match(await row.innerText(), /100\.0%\s+epoch 2 of 2, loss \d/);
  assert.equal(await row.getByRole('progressbar').evaluate((bar: HTMLProgressElement) => bar.value), 100);
  assert.equal(await row.getByRole('button').isVisible(), false);
  assert.deepEqual(faults, []);

  await page.getByLabel('activation_data_path').fill('../none.parquet');
  await page.getByRole('button', { name: 'Train' }).click();
  await page.getByText('lies outside the folders that requests may name').waitFor();
  await page.close();
});

test('the page cancels a run and goes on with it, and is back when the connection is', async () => {
  const context = await (await browser).newContext();
  const page = await context.newPage();
  const detour = await openDetour();
  await page.goto(`${detour.url}/?token=${server.token}`);
  await page.getByLabel('layer_idx').fill('1');
  await page.getByLabel('max_epochs').fill('1000000');
  await page.getByRole('button', { name: 'Train' }).click();
  const row = page.getByRole('row').first();
  await row.getByText('training', { exact: false }).waitFor();
  await row.getByRole('button', { name: 'Cancel' }).click();
  await row.getByText('cancelled', { exact: true }).waitFor();
  detour.cut();
  await page.getByText('No connection to the server').waitFor();
  await page.getByText('No connection to the server').waitFor({ state: 'hidden' });
  await row.getByRole('button', { name: 'Resume' }).click();
  const { job_id } = await newest(({ attempt, phase }) => attempt === 2 && phase === 'training');
  await row.getByText(/^training/).waitFor();
  assert.equal((await server.call('DELETE', `/sae/training/${job_id}`)).status, 200);
  await context.close();
});

test('no page but its own may show it or run in it, and without the token there is none', async () => {
  assert.equal((await fetch(server.url)).status, 401);
  const reply = await fetch(`${server.url}/?token=${server.token}`);
  const policy = reply.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'; script-src 'sha256-[^ ;]+'; style-src 'sha256-[^ ;]+'; connect-src/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.equal(reply.headers.get('referrer-policy'), 'no-referrer');
  const page = await (await browser).newPage();
  await page.goto(`${server.url}/?token=${server.token}`);
  const blocked = page.waitForEvent('console', (message) => message.text().includes('Content Security Policy'));
  await page.evaluate(() => {
    document.body.append(
      Object.assign(document.createElement('script'), { textContent: 'document.title = "foreign"' }),
    );
  });
  await blocked;
  assert.equal(await page.title(), 'Interpretability Workbench');
  await page.close();
});
