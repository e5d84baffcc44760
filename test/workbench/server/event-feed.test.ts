import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { configPath } from '../../../src/run/layout.js';
import { readJob, writeJob } from '../../../src/run/records.js';
import type { JobEvent } from '../../../src/shared/events.js';
import { JobManager } from '../../../src/workbench/jobs.js';
import { RunBoard } from '../../../src/workbench/run-board.js';
import { EventFeed } from '../../../src/workbench/server/event-feed.js';
import { enginePath, smallRun } from '../small-run.js';
import { closeLater, openWorkbench } from './open-server.js';

test('of a job that this process has forgotten only what is new is told', async () => {
  const { runsFolder, log } = openWorkbench();
  const jobs = new JobManager({ log, enginePath, runsFolder, concurrency: 0, endedLimit: 1 });
  const board = new RunBoard({ jobs, folders: () => [runsFolder], log });
  const feed = new EventFeed(jobs, board);
  closeLater(() => {
    feed.close();
    board.dispose();
  });
  const told: string[] = [];
  feed.subscribe(({ bytes }) => {
    const { type, job_id, attempt, status } = JSON.parse(bytes.toString()) as JobEvent;
    told.push(`${names.get(job_id)} ${attempt} ${type} ${status}`);
  });
  const names = new Map<string, string>();
  const changed = (id: string) =>
    new Promise<void>((resolve) => {
      const stop = board.subscribe((change) => {
        if (change.type !== 'run' || change.run.id !== id) return;
        stop();
        resolve();
      });
    });
  const cancelled = async (name: string) => {
    const job = await jobs.start(smallRun);
    names.set(job.id, name);
    const settled = changed(job.id);
    await jobs.cancel(job.id);
    await settled;
    return job;
  };
  const first = await cancelled('first');
  await cancelled('second');
  assert.equal(jobs.find(first.id), undefined);
  told.length = 0;

  const record = await readJob(first.runDir);
  writeFileSync(configPath(first.runDir), JSON.stringify({ name: 'another name' }));
  const renamed = changed(first.id);
  await writeJob(first.runDir, record);
  await board.refresh();
  await renamed;
  assert.deepEqual(told, []);

  // Another process has gone on with it, and was killed.
  const resumed = changed(first.id);
  await writeJob(first.runDir, { ...record, attempt: 2, seq: record.seq + 9, status: 'training', completed_at: null });
  await board.refresh();
  await resumed;
  assert.deepEqual(told, ['first 2 training_progress interrupted']);
});
