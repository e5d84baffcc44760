import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, type SaeConfig } from '../../src/shared/config.js';
import { editorTests } from './session.js';
import { smallRun, writeConfig } from './training.js';

const editorTest = editorTests();

editorTest('a *.sae.json explains its keys and underlines a wrong one', async (session) => {
  const { latent_dim, ...others } = smallRun;
  const folder = session.folder();
  const file = writeConfig(folder, { ...others, laten_dim: latent_dim } as SaeConfig, 'wrong');
  const window = await session.open(folder);
  const editor = await window.openFile(file);
  await editor.locator('.squiggly-warning, .squiggly-error').first().waitFor();
  // It moves the lines down when it comes.
  await editor.locator('.codelens-decoration').getByText('Train SAE').waitFor();
  await editor.getByText('"k"').hover();
  await window.page.getByText(describe('k')).first().waitFor();
});

editorTest('a *.sae.json has a CodeLens, and the button in its title trains it', async (session) => {
  const folder = session.folder();
  const file = writeConfig(folder, smallRun, 'lens');
  const window = await session.open(folder);
  const editor = await window.openFile(file);
  await editor.locator('.codelens-decoration').getByText('Train SAE').waitFor();
  await window.page.locator('.editor-actions').getByRole('button', { name: 'Train SAE from This File' }).click();
  const card = window.card('lens');
  await card.is('completed');
  assert.match(await card.field('sae').innerText(), /64 latents · k 4/);
});

editorTest('the keys of a *.sae.json are completed', async (session) => {
  const folder = session.folder();
  writeFileSync(path.join(folder, 'new.sae.json'), '{\n  "k": 4,\n  \n}\n');
  const window = await session.open(folder);
  const editor = await window.openFile('new.sae.json');
  // A trailing comma: the language service is there.
  await editor.locator('.squiggly-error').waitFor();
  await editor.locator('.view-line').nth(2).click();
  await window.page.keyboard.press('End');
  await window.page.keyboard.type('"');
  const suggestions = window.page.locator('.suggest-widget .monaco-list-row');
  await suggestions.getByText('architecture').waitFor();
  await window.page.keyboard.type('batch');
  await suggestions.and(window.page.locator('.focused')).getByText('batch_size').waitFor();
  await window.page.keyboard.press('Enter');
  await editor.locator('.view-line').filter({ hasText: '"batch_size":' }).waitFor();
});
