import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import type { SaeConfig } from '../../src/shared/config.js';
import { editorTests, screenshotPath } from './session.js';

import { endlessRun, train, writeConfig } from './training.js';
import type { EditorWindow } from './window.js';

const editorTest = editorTests();
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const themes = {
  light: 'Light Modern',
  dark: 'Dark Modern',
  'high-contrast': 'Dark High Contrast',
  'high-contrast-light': 'Light High Contrast',
};
/** The class of a page's body by which VS Code tells it of the kind of theme. */
const kinds = {
  light: 'vscode-light',
  dark: 'vscode-dark',
  'high-contrast': 'vscode-high-contrast:not(.vscode-high-contrast-light)',
  'high-contrast-light': 'vscode-high-contrast-light',
};

/** A run of some seconds on what ships: the pictures of the README are of it. */
const demoRun: SaeConfig = {
  model: 'bundled:demo-gpt2',
  text: ['bundled:sample'],
  layer_idx: 2,
  max_samples: 60,
  max_epochs: 15,
  latent_dim: 1024,
  batch_size: 512,
};

/** What axe finds that is serious, in words. */
async function faults({ panel }: EditorWindow): Promise<string[]> {
  const app = panel.locator('iw-app');
  await app.evaluate(axe);
  const { violations } = await app.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(', ')}`);
}

editorTest('cards and comparison look right in every theme, and axe finds nothing serious', async (session) => {
  const { window, card } = await train(session, { ...demoRun, k: 16 }, 'k 16', { 'k 32': { ...demoRun, k: 32 } });
  await card
    .field('progress')
    .filter({ hasText: /[6-9]\d\.\d %/ })
    .waitFor();
  await card.chart('Loss').locator('canvas').waitFor();
  await window.page.screenshot({ path: screenshotPath('running') });
  await card.is('completed');
  await window.openFile('k 32.sae.json');
  await window.run('Train SAE from This File');
  await window.card('k 32').is('completed');
  for (const name of ['k 16', 'k 32'])
    await window.panel.getByRole('checkbox', { name: `Choose ${name} for comparing` }).press('Space');
  for (const [theme, colorTheme] of Object.entries(themes)) {
    await window.command('Preferences: Color Theme');
    await window.input.fill(colorTheme);
    await window.rows.getByText(colorTheme, { exact: true }).waitFor();
    await window.page.keyboard.press('Enter');
    await window.panel.locator(`body.${kinds[theme as keyof typeof kinds]}`).waitFor();
    assert.deepEqual(await faults(window), []);
    await window.page.screenshot({ path: screenshotPath(`runs-${theme}`) });
    await window.panel.getByRole('button', { name: 'Compare 2 runs' }).click();
    await window.panel.locator('iw-compare canvas').first().waitFor();
    assert.deepEqual(await faults(window), []);
    await window.page.screenshot({ path: screenshotPath(`comparison-${theme}`) });
    await window.panel.getByRole('button', { name: 'Back to Runs' }).click();
  }
});

editorTest('a run is started, paused, resumed and cancelled with the keyboard alone', async (session) => {
  const folder = session.folder();
  const file = writeConfig(folder, endlessRun, 'tiny');
  const window = await session.open(folder);
  await window.quickOpen(file);
  await window.run('Train SAE from This File');
  const card = window.card('tiny');
  await card.field('step').waitFor();
  const press = async (action: string) => {
    const focused = card.root.locator(`[data-action="${action}"]:focus`);
    for (let tabs = 0; (await focused.count()) === 0; tabs++) {
      assert.ok(tabs < 20, `${action} is not reached by the Tab key`);
      await window.page.keyboard.press('Tab');
    }
    await window.page.keyboard.press('Enter');
  };
  await press('pause');
  await card.is('paused');
  await window.quickOpen(file);
  await window.run('Open Panel');
  await card.is('paused');
  await press('resume');
  await card.is('in progress');
  await press('cancel');
  await card.is('cancelled');
});
