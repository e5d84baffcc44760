import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { RunState } from '../../src/shared/panel.js';
import { openBrowser } from '../browser.js';
import { PanelPage, themeNames, type PanelOptions } from './panel-page.js';
import { endedRun, sampleEvaluation, sampleProgress, sampleRun, sampleSeries } from './sample-run.js';

const browser = openBrowser();

async function withPanel(options: PanelOptions, use: (panel: PanelPage) => Promise<void>): Promise<void> {
  const panel = await PanelPage.open(await browser, options);
  try {
    await use(panel);
    assert.deepEqual(panel.faults, []);
  } finally {
    await panel.page.close();
  }
}

const snapshot = (...runs: RunState[]) => ({ type: 'snapshot' as const, runs, trusted: true });
const card = (panel: PanelPage, id: string) => panel.page.locator(`iw-run-card#run-${id}`);
const field = (panel: PanelPage, id: string, name: string) => card(panel, id).locator(`[data-field=${name}]`);

test('a page that has just been loaded asks for everything, then for the series of the cards that are open', async () => {
  await withPanel({}, async (panel) => {
    assert.deepEqual(await panel.posted(), [{ type: 'ready' }]);
    await panel.send(snapshot(sampleRun('a'), endedRun('b', 'completed')));
    assert.deepEqual((await panel.posted()).slice(1), [{ type: 'watch', ids: ['a'] }]);
    await card(panel, 'b').getByRole('button', { name: 'Demo b' }).click();
    assert.deepEqual((await panel.posted()).at(-1), { type: 'watch', ids: ['a', 'b'] });
  });
});

test('a card shows where its run is, and moves with every message', async () => {
  await withPanel({}, async (panel) => {
    await panel.send(snapshot(sampleRun('a')));
    const bar = card(panel, 'a').getByRole('progressbar', { name: 'Progress of the run' });
    assert.equal(await bar.getAttribute('aria-valuenow'), '48.6');
    assert.equal(await field(panel, 'a', 'step').innerText(), '1,200');
    assert.equal(await field(panel, 'a', 'remaining').innerText(), '1:02');
    assert.equal(await field(panel, 'a', 'train_loss').innerText(), '12.34');
    const event = sampleProgress('a', { seq: 43, step: 1300, progress: 55, estimated_remaining: null });
    await panel.send({ type: 'progress', events: [event] });
    assert.equal(await bar.getAttribute('aria-valuenow'), '55.0');
    assert.equal(await field(panel, 'a', 'step').innerText(), '1,300');
    assert.equal(await field(panel, 'a', 'remaining').innerText(), '–');
  });
});

test('the page has changed in the task that brought the message', async () => {
  await withPanel({}, async (panel) => {
    await panel.send(snapshot(sampleRun('a')));
    const event = sampleProgress('a', { seq: 43, step: 1300 });
    const shown = await panel.page.evaluate(
      async (data) => {
        window.dispatchEvent(new MessageEvent('message', { data }));
        // Microtasks only: no timer and no frame may pass.
        for (let i = 0; i < 20; i++) await Promise.resolve();
        const app = document.querySelector('iw-app')!.shadowRoot!;
        return app.querySelector('iw-run-card')!.shadowRoot!.querySelector('[data-field=step]')!.textContent;
      },
      { type: 'progress', events: [event] },
    );
    assert.equal(shown, '1,300');
  });
});

test('a message renders the card of its own run only', async () => {
  await withPanel({}, async (panel) => {
    await panel.send(snapshot(sampleRun('a'), sampleRun('b')));
    const changed = await panel.page.evaluate(
      async (data) => {
        const cards = [...document.querySelector('iw-app')!.shadowRoot!.querySelectorAll('iw-run-card')];
        const touched: string[] = [];
        for (const card of cards) {
          const observer = new MutationObserver(() => touched.push(card.id));
          observer.observe(card.shadowRoot!, { subtree: true, childList: true, characterData: true, attributes: true });
        }
        window.dispatchEvent(new MessageEvent('message', { data }));
        await new Promise(requestAnimationFrame);
        return [...new Set(touched)];
      },
      { type: 'progress', events: [sampleProgress('b', { seq: 43, step: 1300 })] },
    );
    assert.deepEqual(changed, ['run-b']);
  });
});

test('every status has its badge and the actions that fit it', async () => {
  const runs = [
    sampleRun('queued', {}, { status: 'queued', progress: 0 }),
    sampleRun('training'),
    sampleRun('paused', {}, { status: 'paused' }),
    sampleRun('elsewhere', { owner: 'elsewhere' }),
    endedRun('completed', 'completed'),
    endedRun('failed', 'failed'),
    endedRun('cancelled', 'cancelled'),
    endedRun('interrupted', 'interrupted'),
  ];
  const expanded = Object.fromEntries(runs.map(({ id }) => [id, true]));
  await withPanel({ remembered: { view: 'runs', expanded, selected: [] } }, async (panel) => {
    await panel.send(snapshot(...runs));
    const shown: Record<string, string[]> = {};
    for (const { id } of runs) {
      const badge = field(panel, id, 'status');
      const buttons = await card(panel, id).locator('vscode-button').allInnerTexts();
      shown[id] = [await badge.innerText(), (await badge.getAttribute('data-kind'))!, ...buttons];
    }
    const always = ['Open Folder', 'Show Logs'];
    assert.deepEqual(shown, {
      queued: ['queued', 'starting', 'Cancel', ...always],
      training: ['in progress', 'progress', 'Pause', 'Cancel', ...always],
      paused: ['paused', 'paused', 'Resume', 'Cancel', ...always],
      elsewhere: ['in progress', 'progress', ...always],
      completed: ['completed', 'completed', 'Evaluate …', 'Export SAE …', ...always, 'Delete …'],
      failed: ['failed', 'failed', 'Resume', ...always, 'Delete …'],
      cancelled: ['cancelled', 'cancelled', 'Resume', ...always, 'Delete …'],
      interrupted: ['interrupted', 'interrupted', 'Resume', ...always, 'Delete …'],
    });
  });
});

test('a failed run says why, what to do, and leads to the log', async () => {
  await withPanel({}, async (panel) => {
    const error = { code: 'engine_died', message: 'The engine ended by signal SIGKILL.', hint: 'Resume the run.' };
    await panel.send(snapshot(sampleRun('a')));
    await panel.send({ type: 'runs', changed: [endedRun('a', 'failed', { error })], removed: [] });
    const note = field(panel, 'a', 'error');
    assert.match(await note.innerText(), /SIGKILL[^]*Resume the run\./);
    await card(panel, 'a').locator('[data-action=showLogs]').click();
    assert.deepEqual((await panel.posted()).at(-1), { type: 'act', action: 'showLogs', id: 'a' });
  });
});

test('a completed run shows its held-out metrics, and why one is missing', async () => {
  const evaluation = { ...sampleEvaluation, cross_entropy: null, notes: { cross_entropy: 'There is no model here.' } };
  await withPanel({ remembered: { view: 'runs', expanded: { a: true }, selected: [] } }, async (panel) => {
    await panel.send(snapshot(endedRun('a', 'completed', { evaluation })));
    const table = field(panel, 'a', 'evaluation');
    assert.equal(await table.locator('[data-metric=explained_variance]').innerText(), '0.9533');
    assert.equal(await table.locator('[data-metric=loss_recovered]').innerText(), '–');
    assert.match(
      await table.getByRole('row', { name: /^Loss recovered There/ }).innerText(),
      /There is no model here\./,
    );
    assert.equal(await field(panel, 'a', 'remaining').count(), 0);
    await card(panel, 'a').getByText('At the end of training').waitFor();
    await panel.send({ type: 'runs', changed: [endedRun('a', 'cancelled')], removed: [] });
    assert.equal(await card(panel, 'a').getByText('At the end of training').count(), 0);
  });
});

test('runs that nobody hears of, or that others train, are marked', async () => {
  await withPanel({}, async (panel) => {
    await panel.send(snapshot(sampleRun('a', { responding: false }), sampleRun('b', { owner: 'elsewhere' })));
    assert.match(await field(panel, 'a', 'silent').innerText(), /Nothing has been heard/);
    assert.match(await field(panel, 'b', 'elsewhere').innerText(), /Another process trains this run/);
  });
});

test('without runs the panel says what it is for and how to begin', async () => {
  await withPanel({}, async (panel) => {
    await panel.send(snapshot());
    await panel.page.getByRole('button', { name: 'Train SAE' }).click();
    await panel.page.getByRole('button', { name: 'Open the walkthrough' }).click();
    assert.deepEqual((await panel.posted()).slice(-2), [{ type: 'train' }, { type: 'walkthrough' }]);
  });
});

test('in a workspace that is not trusted the panel says so until it is', async () => {
  await withPanel({}, async (panel) => {
    await panel.send({ type: 'snapshot', runs: [sampleRun('a')], trusted: false });
    await panel.page.getByRole('button', { name: 'Manage Trust' }).click();
    assert.deepEqual((await panel.posted()).at(-1), { type: 'trust' });
    await panel.send(snapshot(sampleRun('a')));
    assert.equal(await panel.page.getByRole('button', { name: 'Manage Trust' }).count(), 0);
  });
});

test('names, paths and errors are text and never markup', async () => {
  const evil = '<img src=x onerror=alert(1)>';
  await withPanel({}, async (panel) => {
    const run = endedRun('a', 'failed', { name: evil, dir: evil, error: { code: 'x', message: evil, hint: evil } });
    await panel.send(snapshot({ ...run, config: { ...run.config, model: evil } }));
    await card(panel, 'a').getByRole('button', { name: evil }).click();
    assert.equal(await panel.page.locator('img').count(), 0);
    assert.equal(await field(panel, 'a', 'error').locator('.message').innerText(), evil);
  });
});

test('what was opened and chosen is found again after the page was taken down', async () => {
  let kept: unknown;
  const runs = [sampleRun('a'), endedRun('b', 'completed'), endedRun('c', 'completed')];
  await withPanel({}, async (panel) => {
    await panel.send(snapshot(...runs));
    await card(panel, 'a').getByRole('button', { name: 'Demo a' }).click();
    await card(panel, 'b').getByRole('button', { name: 'Demo b' }).click();
    await card(panel, 'b').locator('vscode-checkbox').click();
    kept = await panel.kept();
  });
  await withPanel({ remembered: kept }, async (panel) => {
    await panel.send(snapshot(...runs));
    const open = (id: string) =>
      card(panel, id)
        .getByRole('button', { name: `Demo ${id}` })
        .getAttribute('aria-expanded');
    assert.deepEqual([await open('a'), await open('b'), await open('c')], ['false', 'true', 'false']);
    assert.equal(await card(panel, 'b').getByRole('checkbox').isChecked(), true);
  });
});

test('two chosen runs are compared, and the way leads back', async () => {
  await withPanel({}, async (panel) => {
    const compare = panel.page.getByRole('button', { name: 'Compare' });
    await panel.send(snapshot(endedRun('a', 'completed'), endedRun('b', 'completed')));
    assert.equal(await compare.getAttribute('aria-disabled'), 'true');
    for (const id of ['a', 'b']) await card(panel, id).locator('vscode-checkbox').click();
    await compare.click();
    assert.deepEqual((await panel.posted()).at(-1), { type: 'watch', ids: ['a', 'b'] });
    await panel.page.getByRole('button', { name: 'Back to Runs' }).click();
    await card(panel, 'a').waitFor();
  });
});

test('a comparison begins at its top, however far down the runs were read', async () => {
  await withPanel({}, async (panel) => {
    await panel.send(snapshot(...['a', 'b', 'c', 'd', 'e', 'f'].map((id) => sampleRun(id))));
    for (const id of ['a', 'b']) await card(panel, id).locator('vscode-checkbox').click();
    await panel.page.evaluate(() => {
      scrollTo(0, 200);
    });
    assert.equal(await panel.page.evaluate(() => document.scrollingElement!.scrollTop), 200);
    await panel.page.getByRole('button', { name: 'Compare' }).click();
    await panel.page.getByRole('heading', { name: 'Compare 2 runs' }).waitFor();
    assert.equal(await panel.page.evaluate(() => document.scrollingElement!.scrollTop), 0);
  });
});

test('shown at a run the panel opens its card and gives it the focus, also if the run comes later', async () => {
  await withPanel({}, async (panel) => {
    await panel.send(snapshot(endedRun('a', 'completed')), { type: 'show', view: { name: 'runs', focus: 'b' } });
    await panel.send({ type: 'runs', changed: [endedRun('b', 'completed')], removed: [] });
    const button = card(panel, 'b').getByRole('button', { name: 'Demo b' });
    assert.equal(await button.getAttribute('aria-expanded'), 'true');
    assert.equal(
      await card(panel, 'b')
        .getByRole('article')
        .evaluate((element) => element.matches(':focus')),
      true,
    );
    await panel.page.keyboard.press('Enter');
    assert.equal(await button.getAttribute('aria-expanded'), 'true');
  });
});

test('everything can be reached and done by keyboard', async () => {
  await withPanel({}, async (panel) => {
    await panel.send(snapshot(sampleRun('a')));
    const { keyboard } = panel.page;
    const reached: string[] = [];
    for (let i = 0; i < 9; i++) {
      await keyboard.press('Tab');
      reached.push(
        await panel.page.evaluate(() => {
          let element = document.activeElement!;
          while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
          return element instanceof HTMLInputElement ? element.type : element.textContent.trim();
        }),
      );
    }
    const wanted = [
      'Train SAE',
      'Compare',
      'checkbox',
      'Demo a',
      'Pause',
      'Cancel',
      'Open Folder',
      'Show Logs',
      'Configuration',
    ];
    assert.deepEqual(reached, wanted.filter((name) => name !== 'Compare').concat(reached.slice(8)));
    await card(panel, 'a').locator('[data-action=pause]').focus();
    await keyboard.press('Enter');
    await keyboard.press('Space');
    const pause = { type: 'act', action: 'pause', id: 'a' };
    assert.deepEqual((await panel.posted()).slice(-2), [pause, pause]);
    assert.equal(await panel.page.evaluate(() => document.scrollingElement!.scrollTop), 0);
  });
});

test('the focus stays where it is when a run ends and its card moves', async () => {
  await withPanel({}, async (panel) => {
    await panel.send(
      snapshot(sampleRun('a', { createdAt: '2026-11-22T15:10:00.000Z' }), sampleRun('b'), sampleRun('c')),
    );
    for (const id of ['a', 'b', 'c']) {
      await card(panel, id).locator('[data-action=openFolder]').focus();
      await panel.send({ type: 'progress', events: [sampleProgress(id, { seq: 43, status: 'cancelled' })] });
      const focused = await card(panel, id)
        .locator('[data-action=openFolder]')
        .evaluate((e) => e.matches(':focus'));
      assert.equal(focused, true, id);
    }
  });
});

test('the focus goes to the card when the button that has it is gone', async () => {
  await withPanel({}, async (panel) => {
    await panel.send(snapshot(sampleRun('a')));
    await card(panel, 'a').locator('[data-action=pause]').focus();
    await panel.send({ type: 'progress', events: [sampleProgress('a', { seq: 43, status: 'paused' })] });
    assert.equal(
      await card(panel, 'a')
        .getByRole('article')
        .evaluate((element) => element.matches(':focus')),
      true,
    );
  });
});

test('a screen reader hears of each tenth, not of each message', async () => {
  await withPanel({}, async (panel) => {
    await panel.send(snapshot(sampleRun('a')));
    const said = await panel.page.evaluate(
      async (events) => {
        const region = document.querySelector('iw-app')!.shadowRoot!.querySelector('[role=status]')!;
        const heard: (string | null)[] = [];
        new MutationObserver(() => heard.push(region.textContent)).observe(region, {
          childList: true,
          characterData: true,
          subtree: true,
        });
        for (const event of events) {
          window.dispatchEvent(new MessageEvent('message', { data: { type: 'progress', events: [event] } }));
          await new Promise(requestAnimationFrame);
        }
        return heard;
      },
      Array.from({ length: 21 }, (_, i) => sampleProgress('a', { seq: 43 + i, progress: 49 + i })),
    );
    assert.deepEqual(said, ['Demo a: 50 %', 'Demo a: 60 %']);
  });
});

for (const theme of themeNames) {
  test(`axe finds nothing serious: ${theme}`, async () => {
    const runs = [
      sampleRun('a', { responding: false }),
      endedRun('b', 'completed'),
      endedRun('c', 'failed', { error: { code: 'x', message: 'It failed.', hint: 'Try again.' } }),
      endedRun('d', 'interrupted'),
    ];
    const expanded = { a: true, b: true, c: true };
    await withPanel({ theme, remembered: { view: 'runs', expanded, selected: ['a'] } }, async (panel) => {
      await panel.send({ type: 'snapshot', runs, trusted: false });
      await panel.send({ type: 'series', id: 'a', start: 0, series: sampleSeries(60) });
      assert.deepEqual(await seriousFaults(panel), []);
    });
  });
}

/** Rules broken in a serious or critical way, with the elements that break them. */
async function seriousFaults(panel: PanelPage): Promise<unknown[]> {
  await panel.page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  return panel.page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document, { rules: { 'target-size': { enabled: true } } });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => ({ id, nodes: nodes.map(({ target, failureSummary }) => [target, failureSummary]) }));
  });
}

test('a hundred moves of ten runs leave no long task', async () => {
  const ids = Array.from({ length: 10 }, (_, i) => `r${i}`);
  await withPanel({}, async (panel) => {
    await panel.send(snapshot(...ids.map((id) => sampleRun(id))));
    for (const id of ids) await panel.send({ type: 'series', id, start: 0, series: sampleSeries(200) });
    const longest = await panel.page.evaluate(
      async (messages) => {
        let most = 0;
        for (const data of messages) {
          const before = performance.now();
          window.dispatchEvent(new MessageEvent('message', { data }));
          await Promise.resolve();
          most = Math.max(most, performance.now() - before);
          await new Promise(requestAnimationFrame);
        }
        return most;
      },
      Array.from({ length: 100 }, (_, i) => ({
        type: 'progress',
        events: ids.map((id) => sampleProgress(id, { seq: 43 + i, step: 1200 + i, progress: 48.6 + i / 10 })),
      })),
    );
    assert.ok(longest < 50, `${longest} ms`);
  });
});
