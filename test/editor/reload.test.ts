import assert from 'node:assert/strict';
import { checkpointSteps } from '../../src/run/layout.js';
import { compact } from '../../src/shared/format.js';
import { editorTests } from './session.js';
import { metricsLines, resumableRun, runFolder, train, untilCheckpoint } from './training.js';
import type { Card } from './window.js';

const editorTest = editorTests();

/** All that a card shows, its charts too, once they have all points. */
async function picture(card: Card, folder: string): Promise<string[]> {
  const end = `at ${compact(metricsLines(runFolder(folder)).at(-1)!.tokens)} tokens`;
  await card.root.locator(`iw-chart .plot[aria-label*="${end}"]`).first().waitFor();
  const charts = await card.root
    .locator('iw-chart .plot')
    .evaluateAll((plots) => plots.map((plot) => plot.ariaLabel ?? ''));
  return [await card.root.locator('article').innerText(), ...charts];
}

/** Every step is recorded once, to the last one. */
function assertWhole(folder: string): void {
  const steps = metricsLines(runFolder(folder)).map(({ step }) => step);
  assert.deepEqual(
    steps,
    [...new Set(steps)].sort((a, b) => a - b),
  );
  assert.equal(metricsLines(runFolder(folder)).at(-1)!.epoch, resumableRun.max_epochs);
}

editorTest('loading the panel again in the middle of a run changes nothing', async (session) => {
  const { window, folder, card } = await train(session, resumableRun);
  await card.chart('Loss').locator('canvas').waitFor();
  await card.action('pause').click();
  await card.is('paused');
  const [engine] = session.host.engines();
  const before = await picture(card, folder);
  await window.reloadPanel();
  await card.chart('Loss').locator('canvas').waitFor();
  assert.deepEqual(await picture(card, folder), before);
  assert.deepEqual(session.host.engines(), [engine]);
  await card.action('resume').click();
  await card.is('completed');
});

editorTest(
  'a window that is reloaded interrupts its run with a checkpoint, and resumes it to its end',
  async (session) => {
    const { window, folder, card } = await train(session, resumableRun);
    await card.field('step').waitFor();
    const before = await card.step();
    await window.reload();
    await card.is('interrupted');
    const shown = await card.step();
    const [saved] = await checkpointSteps(runFolder(folder));
    assert.ok(before <= shown && shown <= saved!, `${before} before, ${shown} after, ${saved} in the checkpoint`);
    await window.notifications.getByText('was interrupted').waitFor();
    await window.notifications.getByRole('button', { name: 'Resume' }).click();
    await card.is('completed');
    assertWhole(folder);
  },
);

editorTest('an engine that is killed fails its run with the reason, and Resume finishes it', async (session) => {
  const { folder, card } = await train(session, resumableRun);
  await card.field('step').waitFor();
  await untilCheckpoint(runFolder(folder));
  const [engine] = session.host.engines();
  process.kill(engine!, 'SIGKILL');
  await card.is('failed');
  await card
    .field('error')
    .getByText(/SIGKILL|killed/)
    .waitFor();
  await card.field('continuation').getByText('Resume goes on from its last checkpoint.').waitFor();
  await card.action('resume').click();
  await card.is('completed');
  assertWhole(folder);
});
