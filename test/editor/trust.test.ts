import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { clientOf } from './api-client.js';
import { editorTests } from './session.js';
import { smallRun, writeConfig } from './training.js';

const server = 'interpretabilityWorkbench.server';
const editorTest = editorTests({ trust: true, settings: { [`${server}.enabled`]: true, [`${server}.port`]: 0 } });

/** A run of a few seconds on what comes with the extension. */
const bundledRun = { ...smallRun, model: 'bundled:demo-gpt2' };

editorTest('a workspace that is not trusted trains what is bundled only, and decides nothing', async (session) => {
  const workspace = session.folder();
  const elsewhere = session.folder();
  mkdirSync(path.join(workspace, '.vscode'));
  const settings = { 'interpretabilityWorkbench.runsFolder': elsewhere };
  writeFileSync(path.join(workspace, '.vscode', 'settings.json'), JSON.stringify(settings));
  const own = writeConfig(workspace, smallRun, 'own');
  const bundled = writeConfig(workspace, bundledRun, 'bundled');

  const window = await session.open(workspace);
  await window.openFile(own);
  await window.run('Train SAE from This File');
  await window.notifications.getByText('This workspace is not trusted').waitFor();
  await window.openFile(bundled);
  await window.run('Train SAE from This File');
  await window.card('bundled').is('completed');
  await window.panel.getByText('This workspace is not trusted').waitFor();
  assert.ok(!existsSync(path.join(workspace, '.interpretability')));
  assert.deepEqual(readdirSync(elsewhere), []);

  await window.panel.getByRole('button', { name: 'Manage Trust' }).click();
  await window.page.getByRole('button', { name: 'Trust', exact: true }).click();
  await window.openFile(own);
  await window.run('Train SAE from This File');
  await window.card('own').is('completed');
  assert.equal(readdirSync(elsewhere).length, 2, 'a run folder and a .gitignore');
});

editorTest('the local API of a workspace does not run before that is trusted', async (session) => {
  const window = await session.open(session.folder());
  await window.run('Start Local API');
  await window.notifications.getByText('The local API does not run in a workspace that is not trusted.').waitFor();
  assert.deepEqual(session.host.addressFiles(), []);
  await window.notifications.getByRole('button', { name: 'Manage Workspace Trust' }).click();
  await window.page.getByRole('button', { name: 'Trust', exact: true }).click();
  // The settings have it started from then on.
  await window.run('Copy API Address');
  const { call } = await clientOf(window);
  assert.equal((await call('GET', '/sae/training/jobs')).status, 200);
});
