import { resumableRun, writeConfig } from '../../test/editor/training.js';
import type { Bench } from './bench.js';
import { watchLongTasks } from './page.js';

const runs = 10;
const watchedMs = 30_000;

/** Tasks of more than 50 ms on the panel's main thread while ten cards with their charts are open and move; ms. */
export async function measureLongTasks({ open, folder }: Bench): Promise<{ longest: number; count: number }> {
  const file = writeConfig(folder, resumableRun, 'one of ten');
  const window = await open();
  await window.page.setViewportSize({ width: 1600, height: 2400 });
  await window.openFile(file);
  for (let i = 0; i < runs; i++) {
    await window.run('Train SAE from This File');
    await window.panel.locator('iw-run-card').nth(i).waitFor();
    await window.page.getByRole('tab', { name: 'one of ten.sae.json' }).click();
  }
  await window.run('Open Panel');
  const cards = window.panel.locator('iw-run-card');
  await cards
    .nth(runs - 1)
    .locator('[data-field="status"]')
    .getByText('in progress')
    .waitFor();
  const lengths = await watchLongTasks(window.panel.locator('iw-app'));
  await window.page.waitForTimeout(watchedMs);
  const long = await lengths();
  return { longest: Math.max(0, ...long), count: long.length };
}
