import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Profile } from '../../src/shared/profile.js';
import { openBrowser } from '../browser.js';
import { PanelPage } from './panel-page.js';
import { endedRun } from './sample-run.js';

const profile: Profile = {
  seconds: {
    model_load: 0.5,
    tokenizing: 1.5,
    forward: 26,
    encoder: 50,
    kernels: 14,
    optimizer: 7,
    disk: 1,
    idle: 0,
    other: 0,
  },
  preselection_recall: 1,
};

test('a card tells where the time of its run went, the longest first, and leaves out what took none', async () => {
  const panel = await PanelPage.open(await openBrowser(), {
    remembered: { view: 'runs', expanded: { a: true, b: true }, selected: [] },
  });
  try {
    const runs = [endedRun('a', 'completed', { profile }), endedRun('b', 'completed')];
    await panel.send({ type: 'snapshot', runs, trusted: true });
    const part = panel.page.locator('iw-run-card#run-a [data-field=time]');
    await part.locator('summary').click();
    const rows = await part.locator('tr').allInnerTexts();
    assert.deepEqual(
      rows.map((row) =>
        row
          .split(/\s*\t\s*/)
          .slice(0, 3)
          .join(' | '),
      ),
      [
        'SAE encoder | 0:50 | 50.0 %',
        'Language model | 0:26 | 26.0 %',
        'Sparse kernels | 0:14 | 14.0 %',
        'Optimizer | 7.0 s | 7.0 %',
        'Tokenizing | 1.5 s | 1.5 %',
        'Disk | 1.0 s | 1.0 %',
        'Loading the model | 0.5 s | 0.5 %',
      ],
    );
    assert.equal(await panel.page.locator('iw-run-card#run-b [data-field=time]').count(), 0);
    assert.deepEqual(panel.faults, []);
  } finally {
    await panel.page.close();
  }
});
