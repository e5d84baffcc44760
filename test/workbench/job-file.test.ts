import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeFolders } from '../../src/run/atomic.js';
import { readJob, type JobRecord } from '../../src/run/records.js';
import { emptyMetrics } from '../../src/shared/events.js';
import { JobFile } from '../../src/workbench/job-file.js';
import { noProgress } from '../../src/workbench/job-journal.js';
import { temporaryFolder } from './small-run.js';

const folder = temporaryFolder();
const unexpected = (error: unknown) => {
  throw error;
};
const record = (seq: number): JobRecord => ({
  job_id: 'a',
  ...noProgress(1, emptyMetrics),
  attempt: 1,
  seq,
  created_at: '2026-11-22T15:11:00.000Z',
  started_at: null,
  completed_at: null,
  elapsed_time: 0,
  output_dir: folder,
  config: {},
});

test('of many states saved at once the newest is on disk when the job ends', async () => {
  const dir = mkdtempSync(path.join(folder, 'case-'));
  const file = new JobFile(dir, unexpected);
  for (let seq = 1; seq < 50; seq++) file.save(record(seq), seq % 3 === 0);
  await file.finish(record(50));
  assert.equal((await readJob(dir)).seq, 50);
});

test('after stop nothing is written any more', async () => {
  const dir = mkdtempSync(path.join(folder, 'case-'));
  const file = new JobFile(dir, unexpected);
  file.save(record(1), true);
  file.save(record(2), false);
  await file.stop();
  rmSync(dir, { recursive: true });
  await file.stop();
  await assert.rejects(readJob(dir), /has no job\.json/);
});

test('a folder that cannot be written is reported once, and the end of the job is not said to be on disk', async () => {
  const dir = path.join(folder, 'missing');
  let reports = 0;
  const file = new JobFile(dir, () => reports++);
  file.save(record(1), true);
  file.save(record(2), true);
  await assert.rejects(file.finish(record(3)), { code: 'ENOENT' });
  assert.equal(reports, 1);
  await makeFolders(dir);
  await file.finish(record(4));
  assert.equal((await readJob(dir)).seq, 4);
});
