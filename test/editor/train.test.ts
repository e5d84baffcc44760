import assert from 'node:assert/strict';
import { screenshotPath, editorTests } from './session.js';
import { change, type EditorWindow } from './window.js';

const editorTest = editorTests();

/** The demo's text goes through the model before training starts. */
const extractionMs = 180_000;

/** Presses Enter in every step of a multi-step quick pick; how many there were. */
async function enterAllTheWay(window: EditorWindow): Promise<number> {
  // No tooltip over the pictures.
  await window.page.mouse.move(0, 0);
  for (let step = 1; ; step++) {
    const title = await window.pickTitle.filter({ hasText: `(${step}/` }).innerText();
    const [, last] = /\/(\d+)\)/.exec(title)!;
    if (step === Number(last))
      await window.rows
        .first()
        .filter({ hasText: /\d s|\d min/ })
        .waitFor();
    await window.page.screenshot({ path: screenshotPath(`wizard-${step}`) });
    await window.page.keyboard.press('Enter');
    if (step === Number(last)) return step;
  }
}

editorTest('Enter all the way through Train SAE trains the demo in an empty window', async ({ open, host }) => {
  const window = await open();
  await window.run('Train SAE');
  assert.equal(await enterAllTheWay(window), 7);

  const card = window.card('layer 2 of demo-gpt2');
  await card.is('in progress');
  await change(window.status);
  await card.chart('Loss').locator('canvas').waitFor({ timeout: extractionMs });
  await window.status.filter({ hasText: /SAE \d+\.\d % · loss \d/ }).waitFor();
  const before = await card.bar();
  await change(card.field('progress'));
  assert.ok((await card.bar()) > before);
  await card.action('cancel').click();
  await card.is('cancelled');
  await window.status.filter({ hasText: /SAE cancelled at \d/ }).waitFor();
  assert.deepEqual(host.engines(), []);
});

editorTest('the palette finds Train SAE first by its name', async ({ open }) => {
  const window = await open();
  await window.page.keyboard.press('F1');
  await window.input.fill('>train sae');
  await window.rows.first().filter({ hasText: 'Interpretability Workbench: Train SAE' }).waitFor();
  assert.doesNotMatch(await window.rows.first().innerText(), /This File/);
});
