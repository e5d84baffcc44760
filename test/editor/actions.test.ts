import assert from 'node:assert/strict';
import { editorTests, screenshotPath } from './session.js';
import { endlessRun, metricsLines, runFolder, smallRun, train } from './training.js';
import { change } from './window.js';

const editorTest = editorTests();

editorTest('a run is paused, resumed, cancelled and resumed again from its card', async (session) => {
  const { window, folder, card } = await train(session, endlessRun);
  await card.field('step').waitFor();
  await card.action('pause').click();
  await card.is('paused');
  await window.status.filter({ hasText: /SAE paused at/ }).waitFor();
  const paused = await card.step();
  await card.action('resume').click();
  await card.is('in progress');
  await change(card.field('step'));
  assert.ok((await card.step()) > paused);
  await window.page.screenshot({ path: screenshotPath('progress') });

  await card.action('cancel').click();
  await card.is('cancelled');
  assert.deepEqual(session.host.engines(), []);
  const cancelled = await card.step();
  await card.action('resume').click();
  await card.is('in progress');
  await change(card.field('step'));
  await card.action('cancel').click();
  await card.is('cancelled');
  assert.ok((await card.step()) > cancelled);
  const steps = metricsLines(runFolder(folder)).map(({ step }) => step);
  assert.deepEqual(
    steps,
    [...new Set(steps)].sort((a, b) => a - b),
  );
});

editorTest('a second run waits for the first, and its badge goes through its states', async (session) => {
  const { window, card: first } = await train(session, endlessRun, 'first', { second: smallRun });
  await first.is('in progress');
  await window.openFile('second.sae.json');
  await window.run('Train SAE from This File');
  const second = window.card('second');
  await second.is('queued');
  const badges = await second.field('status').evaluateHandle((badge) => {
    const seen = [badge.textContent];
    new MutationObserver(() => seen.push(badge.textContent)).observe(badge, { characterData: true, subtree: true });
    return seen;
  });
  await first.action('cancel').click();
  await second.is('completed');
  assert.deepEqual([...new Set(await badges.jsonValue())], ['queued', 'starting', 'in progress', 'completed']);
});

editorTest('a run is deleted from its card, after a question', async (session) => {
  const { window, card } = await train(session, smallRun);
  await card.is('completed');
  await card.action('delete').click();
  await window.page
    .locator('.monaco-dialog-box')
    .getByRole('button', { name: /Delete|Trash/ })
    .first()
    .click();
  await card.root.waitFor({ state: 'detached' });
});
