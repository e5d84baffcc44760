import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { cancelReplySchema, errorReplySchema, trainReplySchema } from '../../src/shared/api.js';
import { clientOf, type ApiClient } from './api-client.js';
import { editorTests } from './session.js';
import { endlessRun, runFolder } from './training.js';
import type { EditorWindow } from './window.js';

const { model, layer_idx, latent_dim, max_epochs, ...config } = endlessRun;
const fixtures = path.dirname(model!);

/** Settings of the local API, by their full names. A port below those that systems give out: other programs may have it. */
const settings = (changes: Record<string, unknown> = {}) =>
  Object.fromEntries(
    Object.entries({ port: 20_000 + (process.pid % 10_000), model, folders: [fixtures], ...changes }).map(
      ([name, value]) => [`interpretabilityWorkbench.server.${name}`, value],
    ),
  );
const editorTest = editorTests({ settings: settings() });

/** Starts the API of a window by its command. */
async function startApi(window: EditorWindow): Promise<ApiClient> {
  await window.run('Start Local API');
  const address = await shownAddress(window);
  await window.notifications.getByRole('button', { name: 'Copy Address with Token' }).click();
  return clientOf(window, address);
}

/** The address that the window tells of, other than one it told of before. */
async function shownAddress({ notifications }: EditorWindow, before = 'none'): Promise<string> {
  const message = notifications.getByText(/^API at http/).filter({ hasNotText: before });
  const [, address] = /^API at (http:\/\/127\.0\.0\.1:\d+)(: port \d+ is in use\.)?$/.exec(await message.innerText())!;
  return address!;
}

/** The files below a folder that hold a text. */
function filesWith(text: string, folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}

editorTest('a run posted to the API is in the panel, its events arrive, and DELETE cancels it', async (session) => {
  const folder = session.folder();
  const window = await session.open(folder);
  const { token, call, watch } = await startApi(window);
  const watcher = await watch();
  const request = { layer_idx, latent_dim, max_epochs, config: { ...config, name: 'posted' } };
  const { status, body } = await call('POST', '/sae/train', request);
  assert.equal(status, 202);
  const run = v.parse(trainReplySchema, body);
  assert.equal(run.output_dir, runFolder(folder));
  await window.run('Open Panel');
  const card = window.card('posted');
  await card.is('in progress');
  const { job_id: id } = run;
  await watcher.message((event) => event.type === 'training_progress' && event.job_id === id && event.step > 0);
  await card.field('step').waitFor();

  const cancelled = await call('DELETE', `/sae/training/${id}`);
  assert.equal(v.parse(cancelReplySchema, cancelled.body).status, 'cancelled');
  await card.is('cancelled');
  await watcher.message((event) => event.type === 'training_cancelled' && event.job_id === id);

  await window.run('Stop Local API');
  assert.equal((await watcher.closed)[0], 1001);
  await assert.rejects(call('GET', '/sae/training/jobs'));
  assert.deepEqual(filesWith(token, session.host.userData), []);
});

editorTest('what the panel does is what the API tells, and a closed window closes its API', async (session) => {
  const window = await session.open();
  const { origin, call, watch } = await startApi(window);
  const watcher = await watch();
  const request = { layer_idx, latent_dim, max_epochs, config };
  const elsewhere = { ...request, model: path.dirname(fixtures) };
  const refused = await call('POST', '/sae/train', elsewhere);
  assert.equal(v.parse(errorReplySchema, refused.body).error.code, 'path_not_allowed');
  const accepted = await call('POST', '/sae/train', { ...request, model });
  const run = v.parse(trainReplySchema, accepted.body);
  assert.ok(run.output_dir.startsWith(session.host.userData));
  await window.run('Open Panel');
  const card = window.card('layer 0 of tiny-sotu-gpt2');
  await card.field('step').waitFor();
  await card.action('pause').click();
  await watcher.message((event) => 'status' in event && event.job_id === run.job_id && event.status === 'paused');
  await window.close();
  assert.equal((await watcher.closed)[0], 1001);
  await assert.rejects(fetch(origin));
});

editorTest('the settings start, move and stop the API; a second window takes the next port', async (session) => {
  const window = await session.open(session.folder());
  // What is enabled before the extension runs is started without a word: that it answers tells that it runs.
  await window.run('Copy API Address');
  await window.notifications.getByText('The local API is not running.').waitFor();
  await window.writeSettings(settings({ enabled: true }));
  const address = await shownAddress(window);
  await window.run('Copy API Address');
  const { token, call, watch } = await clientOf(window, address);
  assert.equal((await call('GET', '/sae/training/jobs')).status, 200);

  const second = await session.open(session.folder());
  await second.notifications.getByText(/^API at http:.*: port \d+ is in use\.$/).waitFor();
  await second.close();

  const watcher = await watch();
  await window.writeSettings(settings({ enabled: true, port: 0 }));
  assert.equal((await watcher.closed)[0], 1001);
  const next = await shownAddress(window, address);
  await window.run('Copy API Address');
  const moved = await clientOf(window, next);
  assert.equal(moved.token, token);
  const last = await moved.watch();
  await window.writeSettings(settings());
  assert.equal((await last.closed)[0], 1001);
  await assert.rejects(fetch(next));
});
