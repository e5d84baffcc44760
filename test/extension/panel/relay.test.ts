import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PanelRelay, type PanelRequest } from '../../../src/extension/panel/relay.js';
import type { ToPanel } from '../../../src/shared/panel.js';
import { JobManager, RunBoard, type Job } from '../../../src/workbench/index.js';
import { enginePath, longRun, smallRun, temporaryFolder } from '../../workbench/small-run.js';

const log = () => undefined;

/** A board over a folder of its own, and a page that keeps what it is told. */
function open() {
  const runsFolder = temporaryFolder();
  const jobs = new JobManager({ log, enginePath, runsFolder, concurrency: 3 });
  const board = new RunBoard({ jobs, folders: () => [runsFolder], log });
  const told: ToPanel[] = [];
  const requests: PanelRequest[] = [];
  const waiting = new Set<() => void>();
  const relay = new PanelRelay({
    board,
    trusted: () => true,
    send: (message) => {
      told.push(message);
      for (const look of waiting) look();
    },
    request: (request) => requests.push(request),
  });
  after(async () => {
    relay.dispose();
    await jobs.dispose();
    board.dispose();
  });
  /** Resolves with the first message from `told[from]` on that fits. */
  const message = <M extends ToPanel>(fits: (message: ToPanel) => message is M, from = 0): Promise<M> =>
    new Promise((resolve) => {
      const look = () => {
        const found = told.slice(from).find(fits);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { jobs, board, relay, told, requests, message };
}

const is =
  <T extends ToPanel['type']>(type: T) =>
  (message: ToPanel): message is Extract<ToPanel, { type: T }> =>
    message.type === type;

/** Every progress that was told of a run, in the order in which the page learns of it. */
const progressOf = (told: readonly ToPanel[], { id }: Job) =>
  told.flatMap((message) => {
    if (message.type === 'progress') return message.events.filter((event) => event.job_id === id);
    const runs = message.type === 'snapshot' ? message.runs : message.type === 'runs' ? message.changed : [];
    return runs.filter((run) => run.id === id).map(({ progress }) => progress);
  });

test('a page is told nothing before it is ready, then everything, then what changes, up to the end', async () => {
  const { jobs, relay, told, message, board } = open();
  const first = await jobs.start(smallRun);
  await first.ended;
  assert.equal(told.length, 0);
  await board.refresh();
  relay.receive({ type: 'ready' });
  assert.ok(told[0]?.type === 'snapshot' && told[0].trusted);
  assert.deepEqual(
    told[0].runs.map(({ id }) => id),
    [first.id],
  );

  // Several at once, so that progress is held back while other news of a run is not.
  const several = await Promise.all([jobs.start(smallRun), jobs.start(smallRun), jobs.start(smallRun)]);
  for (const job of several) {
    const completed = (change: ToPanel): change is Extract<ToPanel, { type: 'runs' }> =>
      change.type === 'runs' && change.changed.some((run) => run.id === job.id && run.evaluation !== null);
    await message(completed);
  }
  // What was held back at the end of a run would be sent with the progress of the next, if it were not forgotten.
  const end = told.length;
  const last = await jobs.start(longRun);
  await message(is('progress'), end);
  await jobs.cancel(last.id);
  for (const job of several) {
    const progress = progressOf(told, job);
    const seqs = progress.map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      [...seqs].sort((a, b) => a - b),
      'something older came after something newer',
    );
    assert.equal(progress.at(-1)?.status, 'completed');
    assert.equal(progress.at(-1)?.progress, 100);
  }
});

test('a page that is hidden is told nothing; shown again it is told everything, with the series it watches', async () => {
  const { jobs, relay, told, message } = open();
  relay.receive({ type: 'ready' });
  const job = await jobs.start(longRun);
  await message(is('progress'));
  relay.receive({ type: 'watch', ids: [job.id] });
  const series = await message(is('series'));
  assert.deepEqual([series.id, series.start], [job.id, 0]);

  relay.hide();
  const hidden = told.length;
  const { seq } = job.progress;
  await new Promise<void>((resolve) => {
    const stop = jobs.subscribe((event) => {
      if (event.seq < seq + 5) return;
      stop();
      resolve();
    });
  });
  assert.equal(told.length, hidden);

  relay.receive({ type: 'ready' });
  const snapshot = told[hidden];
  assert.ok(snapshot?.type === 'snapshot' && snapshot.runs[0]!.progress.seq >= seq + 5);
  const shown = told.length;
  relay.receive({ type: 'watch', ids: [job.id] });
  const again = await message(is('series'), shown);
  assert.equal(again.start, 0);
  assert.ok(again.series.step.length >= series.series.step.length);

  relay.receive({ type: 'watch', ids: [] });
  const unwatched = told.length;
  await message(is('progress'), unwatched);
  assert.ok(!told.slice(unwatched).some(is('series')));
  await jobs.cancel(job.id);
});

test('a view is turned to when there is a page to show it', () => {
  const { relay, told } = open();
  relay.show({ name: 'runs', focus: 'a' });
  relay.show({ name: 'compare', ids: ['a', 'b'] });
  assert.equal(told.length, 0);
  relay.receive({ type: 'ready' });
  assert.deepEqual(
    told.map(({ type }) => type),
    ['snapshot', 'show'],
  );
  assert.deepEqual(told[1], { type: 'show', view: { name: 'compare', ids: ['a', 'b'] } });
  relay.show({ name: 'runs' });
  assert.deepEqual(told.at(-1), { type: 'show', view: { name: 'runs' } });
  relay.receive({ type: 'ready' });
  assert.equal(told.at(-1)?.type, 'snapshot', 'a page that is loaded again keeps its view itself');
});

test('what a page asks for is passed on', () => {
  const { relay, requests } = open();
  relay.receive({ type: 'act', action: 'pause', id: 'a' });
  relay.receive({ type: 'train' });
  assert.deepEqual(requests, [{ type: 'act', action: 'pause', id: 'a' }, { type: 'train' }]);
});
