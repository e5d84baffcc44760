import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { editorTests } from './session.js';
import { endlessRun, runFolder, smallRun, train } from './training.js';
import { change } from './window.js';

const editorTest = editorTests();

editorTest('the SAE of a finished run is exported to the folder that is chosen', async (session) => {
  const { window, folder, card } = await train(session, smallRun);
  const target = session.folder();
  mkdirSync(path.join(target, 'older'));
  await card.action('export').click();
  await window.chooseFolder(target, 'older', 'Export Here');
  await window.notifications.getByText('SAELens opens it: SAE.load_from_disk').waitFor();
  assert.deepEqual(readdirSync(target).sort(), ['cfg.json', 'older', 'sae_weights.safetensors']);
  for (const file of ['cfg.json', 'sae_weights.safetensors'])
    assert.deepEqual(readFileSync(path.join(target, file)), readFileSync(path.join(runFolder(folder), file)));
});

editorTest('a finished run is evaluated again, and a document has the numbers', async (session) => {
  const { window, card } = await train(session, smallRun);
  const known = await card.root.locator('[data-metric="explained_variance"]').innerText();
  await card.action('evaluate').click();
  await window.rows.getByText('What was held out of training').click();
  const document = window.preview;
  await document.getByRole('heading', { name: 'Evaluation of tiny' }).waitFor();
  const row = document.getByRole('row', { name: 'Explained variance' });
  assert.match(known, /^0\.\d{4}$/);
  assert.equal(await row.getByRole('cell').nth(1).innerText(), known);
});

editorTest('the Runs view shows how runs go; its menus pause, cancel and compare them', async (session) => {
  const { window, card } = await train(session, endlessRun, 'long', { short: smallRun });
  await card.is('in progress');
  await window.openFile('short.sae.json');
  await window.run('Train SAE from This File');
  await window.page.getByRole('tab', { name: 'Active runs: 2' }).click();
  const [long, short] = [window.treeRow('long'), window.treeRow('short')];
  await short.getByText('queued').waitFor();
  const training = long.getByText(/\d+\.\d % · loss \d/);
  await training.waitFor();
  await change(training);

  await window.menu(long, 'Pause Training');
  await long.getByText(/paused at \d+\.\d %/).waitFor();
  await window.menu(long, 'Cancel Training');
  await long.getByText(/cancelled at \d+\.\d %/).waitFor();
  await short.getByText(/EV \d\.\d{3} · L0 \d/).waitFor();

  await long.click();
  await short.click({ modifiers: ['Control'] });
  await window.menu(short, 'Compare Runs');
  const table = window.panel.locator('iw-compare table');
  for (const name of ['long', 'short']) await table.getByRole('row', { name }).first().waitFor();
});
