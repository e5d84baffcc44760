import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  checkpointDir,
  checkpointSteps,
  configPath,
  evaluationPath,
  jobPath,
  metricsPath,
} from '../../src/run/layout.js';
import { RunLock } from '../../src/run/lock.js';
import {
  appendMetrics,
  readJob,
  readMetrics,
  readRun,
  truncateMetrics,
  writeJob,
  type JobRecord,
  type MetricsLine,
} from '../../src/run/records.js';
import type { WorkbenchError } from '../../src/shared/errors.js';
import { emptyMetrics } from '../../src/shared/events.js';
import type { Evaluation } from '../../src/shared/messages.js';

const folder = mkdtempSync(path.join(tmpdir(), 'iw-records-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});
const fresh = () => mkdtempSync(path.join(folder, 'case-'));

const record: JobRecord = {
  job_id: 'a',
  status: 'training',
  phase: 'training',
  epoch: 1,
  total_epochs: 5,
  progress: 12.5,
  phase_progress: 12.5,
  metrics: { ...emptyMetrics, l0: 4 },
  estimated_remaining: null,
  step: 100,
  total_steps: 800,
  tokens: 1000,
  tokens_per_second: 10,
  attempt: 1,
  seq: 7,
  created_at: '2026-11-22T15:11:00.000Z',
  started_at: '2026-11-22T15:11:01.000Z',
  completed_at: null,
  elapsed_time: 3.5,
  output_dir: folder,
  config: { layer_idx: 1, text: ['bundled:sample'] },
};

const line = (step: number): MetricsLine => ({
  step,
  epoch: 1,
  tokens: step * 10,
  tokens_per_second: 5,
  metrics: { ...emptyMetrics, train_loss: 1 / step },
  timestamp: '2026-11-22T15:11:00.000Z',
});

const unreadable = (reading: Promise<unknown>, message: RegExp) =>
  assert.rejects(reading, ({ problem }: WorkbenchError) => {
    assert.equal(problem.code, 'run_unreadable');
    assert.match(problem.message, message);
    return true;
  });

test('job.json comes back as it was written', async () => {
  const dir = fresh();
  const failed = { ...record, error: { code: 'disk_full', message: 'Full.', hint: 'Free some.', field: 'output_dir' } };
  await writeJob(dir, failed);
  assert.deepEqual(await readJob(dir), failed);
});

test('a folder without job.json, or with a damaged one, is no readable run', async () => {
  const dir = fresh();
  await unreadable(readRun(dir), /has no job\.json/);
  await unreadable(readRun(path.join(dir, 'none')), /has no job\.json/);
  const text = JSON.stringify(record);
  for (const damaged of ['', text.slice(0, 40), '[]', text.replace('"training"', '"resting"')]) {
    writeFileSync(jobPath(dir), damaged);
    await unreadable(readRun(dir), /job\.json is damaged/);
  }
});

test('metrics are appended, and a last line cut short is left out', async () => {
  const dir = fresh();
  assert.deepEqual(await readMetrics(dir), []);
  await appendMetrics(dir, line(10), line(20));
  await appendMetrics(dir, line(30));
  appendFileSync(metricsPath(dir), JSON.stringify(line(40)).slice(0, 30));
  assert.deepEqual(await readMetrics(dir), [line(10), line(20), line(30)]);
});

test('cutting metrics back to a step leaves the bytes an uninterrupted run had then', async () => {
  const dir = fresh();
  await truncateMetrics(dir, 5);
  await appendMetrics(dir, line(10), line(20));
  const then = readFileSync(metricsPath(dir));
  await appendMetrics(dir, line(30));
  appendFileSync(metricsPath(dir), '{"step":40,"ep');
  await truncateMetrics(dir, 20);
  assert.deepEqual(readFileSync(metricsPath(dir)), then);
  await truncateMetrics(dir, 29);
  assert.deepEqual(readFileSync(metricsPath(dir)), then);
  await truncateMetrics(dir, 0);
  assert.equal(readFileSync(metricsPath(dir), 'utf8'), '');
});

test('a run that has not ended is interrupted once nobody holds its folder', async () => {
  const dir = fresh();
  await writeJob(dir, record);
  assert.equal((await readRun(dir)).status, 'interrupted');
  const lock = await RunLock.acquire(dir);
  assert.equal((await readRun(dir)).status, 'training');
  await writeJob(dir, { ...record, status: 'completed' });
  assert.equal((await readRun(dir)).status, 'completed');
  lock.release();
  assert.equal((await readRun(dir)).status, 'completed');
});

const evaluation: Evaluation = {
  tokens: 100,
  explained_variance: 0.9,
  fvu: 0.1,
  l0: 31.5,
  dead_features: null,
  dead_fraction: null,
  cosine: 0.95,
  l2_ratio: 0.97,
  mse: 0.02,
  cross_entropy: null,
  density: { edges: [-2, -1, 0], counts: [3, 5], never: 1 },
  units: { l0: 'latents per token' },
  notes: { cross_entropy: 'No model.' },
  text: 'the held-out documents',
};

test('a run’s story is its configuration, its last metrics, its evaluation and its newest checkpoint', async () => {
  const dir = fresh();
  await writeJob(dir, record);
  const early = await readRun(dir);
  assert.deepEqual(early.config, record.config);
  assert.deepEqual([early.lastMetrics, early.evaluation, early.checkpoint], [null, null, null]);
  writeFileSync(configPath(dir), JSON.stringify({ ...record.config, model: '../model', k: 32 }));
  writeFileSync(evaluationPath(dir), JSON.stringify(evaluation));
  await appendMetrics(dir, line(10), line(20));
  for (const step of [900, 1000]) mkdirSync(checkpointDir(dir, step), { recursive: true });
  mkdirSync(path.join(dir, 'checkpoints', '.1100.tmp'));
  const run = await readRun(dir);
  assert.deepEqual(run.config, { ...record.config, model: path.join(folder, 'model'), k: 32 });
  assert.deepEqual(run.lastMetrics, line(20));
  assert.deepEqual(run.evaluation, evaluation);
  assert.deepEqual(await checkpointSteps(dir), [1000, 900]);
  assert.equal(run.checkpoint, checkpointDir(dir, 1000));
});

test('an evaluation that is damaged counts as none, and one with more in it is kept whole', async () => {
  const dir = fresh();
  await writeJob(dir, record);
  for (const damaged of ['', '5', '{}', JSON.stringify({ ...evaluation, density: null }), '{"tokens": 1']) {
    writeFileSync(evaluationPath(dir), damaged);
    assert.equal((await readRun(dir)).evaluation, null, damaged);
  }
  const later = { ...evaluation, entropy: 1.5 };
  writeFileSync(evaluationPath(dir), JSON.stringify(later));
  assert.deepEqual((await readRun(dir)).evaluation, later);
});
