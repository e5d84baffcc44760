import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readJob, type JobRecord } from '../../src/run/records.js';
import { emptyMetrics } from '../../src/shared/events.js';
import { noProgress } from '../../src/workbench/job-journal.js';
import { claimRunDir } from '../../src/workbench/runs.js';
import { temporaryFolder } from './small-run.js';

const folder = temporaryFolder();
const fresh = () => mkdtempSync(path.join(folder, 'case-'));
const record = (id: string, second = 0): JobRecord => ({
  job_id: id,
  ...noProgress(1, emptyMetrics),
  attempt: 1,
  seq: 1,
  created_at: new Date(second * 1000).toISOString(),
  started_at: null,
  completed_at: null,
  elapsed_time: 0,
  output_dir: folder,
  config: {},
});

test('of many that claim one folder exactly one gets it', async () => {
  const dir = path.join(fresh(), 'run');
  const claims = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => claimRunDir(dir, record(String(i)))));
  const won = claims.flatMap(({ status }, i) => (status === 'fulfilled' ? [String(i)] : []));
  assert.equal(won.length, 1);
  assert.equal((await readJob(dir)).job_id, won[0]);
});

test('undoing a claim takes away what it made and nothing that others put beside it', async () => {
  const outer = fresh();
  const base = path.join(outer, 'a', 'runs');
  const first = await claimRunDir(path.join(base, 'one'), record('one'), base);
  const second = await claimRunDir(path.join(base, 'two'), record('two'), base);
  writeFileSync(path.join(base, 'one', 'half-made'), '');
  await first();
  assert.deepEqual(readdirSync(base), ['.gitignore', 'two']);
  await second();
  assert.ok(existsSync(base));
  const alone = await claimRunDir(path.join(outer, 'b', 'c'), record('c'));
  await alone();
  assert.deepEqual(readdirSync(outer), ['a']);
});
