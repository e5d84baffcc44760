import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { editorTests } from './session.js';
import { endlessRun, metricsLines, resumableRun, runFolder, train } from './training.js';
import { change } from './window.js';

const editorTest = editorTests();

editorTest('a panel that was hidden catches up, and one notification says that the run has ended', async (session) => {
  const { window, folder, card } = await train(session, resumableRun);
  await card.field('step').waitFor();
  await window.page.getByRole('tab', { name: 'tiny.sae.json' }).click();
  await window.notifications.getByText('“tiny” is trained').waitFor();
  assert.equal(await window.notifications.count(), 1);
  await window.notifications.getByRole('button', { name: 'Open Panel' }).click();
  await card.is('completed');
  assert.equal(await card.field('progress').innerText(), '100.0 %');
  const { step } = metricsLines(runFolder(folder)).at(-1)!;
  assert.equal(await card.step(), step);
  await card.chart('Loss').getByRole('button', { name: 'Table' }).click();
  assert.equal(await card.chart('Loss').locator('tbody tr').count(), 40);
});

editorTest('a second window on the folder shows the run of the first, and may only look', async (session) => {
  const { window, folder, card } = await train(session, endlessRun);
  await card.field('step').waitFor();
  const other = await session.open(folder);
  await other.run('Open Panel');
  const there = other.card('tiny');
  await there.is('in progress');
  await there.field('elsewhere').waitFor();
  assert.equal((await there.action('pause').count()) + (await there.action('cancel').count()), 0);
  await there.field('step').waitFor();
  await change(there.field('step'));
  await card.action('cancel').click();
  await card.is('cancelled');
  await there.is('cancelled');
  assert.equal(await there.step(), await card.step());
  await window.close();
  await there.action('resume').click();
  await there.is('in progress');
  await there.action('cancel').click();
  await there.is('cancelled');
  const job = JSON.parse(readFileSync(path.join(runFolder(folder), 'job.json'), 'utf8')) as { attempt: number };
  assert.equal(job.attempt, 2);
});
