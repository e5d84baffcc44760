import assert from 'node:assert/strict';
import { editorTests } from './session.js';
import { smallRun, train } from './training.js';

const editorTest = editorTests();

editorTest('a run trains to its end: card, status bar, Output channel and api.log say so', async (session) => {
  const { window, card } = await train(session, smallRun);
  await card.is('completed');
  assert.equal(await card.field('progress').innerText(), '100.0 %');
  assert.equal(await card.bar(), 100);
  await card.field('evaluation').waitFor();
  await window.status.filter({ hasText: /SAE done · EV 0\.\d{3}/ }).waitFor();

  await card.action('showLogs').click();
  await window.output
    .filter({ hasText: /\[info\]\straining\s-\sEpoch\s\d\/3:\strain_loss=/ })
    .first()
    .waitFor();

  await window.run('Open Log Folder');
  const lines = window.editor('api.log').locator('.view-line');
  await lines.filter({ hasText: /training\s-\sINFO\s-\sEpoch\s3\/3/ }).waitFor();
  const epochs = (await lines.allInnerTexts()).filter((line) => /training\s-\sINFO\s-\sEpoch\s\d/.test(line));
  assert.equal(epochs.length, 3);
});
