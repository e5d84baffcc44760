import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as v from 'valibot';
import { checkpointDir, configPath, weightsPath } from '../../../src/run/layout.js';
import { writeJob, type JobRecord } from '../../../src/run/records.js';
import { jobViewSchema, type JobList, type JobView, type TrainReply } from '../../../src/shared/api.js';
import { emptyMetrics } from '../../../src/shared/events.js';
import { noProgress } from '../../../src/workbench/job-journal.js';
import { currentRun, jobView } from '../../../src/workbench/server/job-view.js';
import { longRun, temporaryFolder } from '../small-run.js';
import { openApi } from './api-client.js';

const folder = temporaryFolder();

const record = (id: string, dir: string, change: Partial<JobRecord>): JobRecord => ({
  job_id: id,
  ...noProgress(10, emptyMetrics),
  status: 'cancelled',
  attempt: 1,
  seq: 7,
  created_at: '2026-11-22T15:00:00.000Z',
  started_at: '2026-11-22T15:00:01.000Z',
  completed_at: '2026-11-22T15:01:00.000Z',
  elapsed_time: 59,
  output_dir: dir,
  config: { layer_idx: 1, model: 'bundled:demo-gpt2' },
  ...change,
});

/** The folder of a run that nobody trains. */
async function put(runsFolder: string, id: string, change: Partial<JobRecord> = {}): Promise<string> {
  const dir = path.join(runsFolder, id);
  mkdirSync(dir, { recursive: true });
  await writeJob(dir, record(id, dir, change));
  return dir;
}

async function windowOn(base = mkdtempSync(path.join(folder, 'case-'))) {
  const api = await openApi({ base });
  const show = async (id: string) => (await api.call('GET', `/sae/training/status/${id}`)).body as JobView;
  return { ...api, show };
}

test('runs whose folders are left are shown as they ended', async () => {
  const { runsFolder, board, call, show } = await windowOn();
  const error = {
    code: 'diverged',
    message: 'The loss is not a number.',
    hint: 'Lower the rate.',
    field: 'learning_rate',
  };
  const dir = await put(runsFolder, 'failed', { status: 'failed', error, epoch: 3, progress: 25 });
  mkdirSync(checkpointDir(dir, 40), { recursive: true });
  const created_at = '2026-11-22T16:00:00.000Z';
  const metrics = { ...emptyMetrics, train_loss: 0.25, l0: 32 };
  const model_path = '/moved/since/sae_weights.safetensors';
  const done = await put(runsFolder, 'done', { status: 'completed', created_at, progress: 100, metrics, model_path });
  const config = { hook_name: 'blocks.11.attn.hook_z', model: '/models/gpt2', latent_dim: 99 };
  writeFileSync(configPath(done), JSON.stringify(config));
  await put(runsFolder, 'dead', { status: 'training', completed_at: null, created_at: '2026-11-22T14:00:00.000Z' });
  await board.refresh();

  const { jobs, total } = (await call('GET', '/sae/training/jobs')).body as JobList;
  assert.equal(total, 3);
  assert.deepEqual(
    jobs.map((job) => `${job.job_id} ${job.status} ${job.layer_idx}`),
    ['done completed 11', 'failed failed 1', 'dead interrupted 1'],
  );
  for (const job of jobs) assert.deepEqual(v.parse(jobViewSchema, job), job);

  assert.deepEqual(await show('failed'), {
    job_id: 'failed',
    name: 'layer 1 of demo-gpt2',
    status: 'failed',
    phase: 'loading_model',
    layer_idx: 1,
    output_dir: dir,
    config: { layer_idx: 1, model: 'bundled:demo-gpt2' },
    progress: { current_epoch: 3, total_epochs: 10, percent: 25 },
    phase_progress: 0,
    metrics: emptyMetrics,
    created_at: '2026-11-22T15:00:00.000Z',
    started_at: '2026-11-22T15:00:01.000Z',
    completed_at: '2026-11-22T15:01:00.000Z',
    elapsed_time: 59,
    estimated_remaining: null,
    attempt: 1,
    seq: 7,
    step: 0,
    total_steps: 0,
    tokens: 0,
    tokens_per_second: null,
    checkpoint: checkpointDir(dir, 40),
    error,
  });
  const completed = await show('done');
  // The weights lie where the folder is now.
  assert.equal(completed.model_path, weightsPath(done));
  assert.deepEqual(completed.config, config);
  assert.deepEqual(completed.metrics, metrics);
  assert.ok(!('error' in completed));
  assert.ok(!('model_path' in (await show('dead'))));
});

test('a hook point that is of no layer has none', async () => {
  const { runsFolder, board, show } = await windowOn();
  const hooks = {
    embedding: 'hook_embed',
    tensor: '/transformer/h.0/Add_output_0',
    far: `blocks.${'9'.repeat(400)}.x`,
  };
  for (const [id, hook_name] of Object.entries(hooks)) await put(runsFolder, id, { config: { hook_name } });
  await put(runsFolder, 'none', { config: { activation_data_path: '/a.parquet' } });
  await board.refresh();
  for (const id of [...Object.keys(hooks), 'none']) assert.equal((await show(id)).layer_idx, null, id);
});

test('a job of this process is shown as it is now, before its folder or the board tell of it', async () => {
  const { call, jobs, board, show } = await windowOn();
  jobs.configure({ concurrency: 0 });
  const { job_id: id } = (await call('POST', '/sae/train', { config: longRun })).body as TrainReply;
  const waiting = await show(id);
  assert.deepEqual([waiting.status, waiting.started_at, waiting.progress.percent], ['queued', null, 0]);
  assert.deepEqual(waiting.progress, { current_epoch: 0, total_epochs: 100_000, percent: 0 });
  let told: JobView | undefined;
  const looked = new Promise<void>((resolve) => {
    jobs.subscribe((event) => {
      if (event.type !== 'training_cancelled') return;
      // The board has not read the folder yet.
      assert.equal(board.get(id)?.progress.status, 'queued');
      void jobView(currentRun(board, jobs, id)!).then((view) => {
        told = view;
        resolve();
      });
    });
  });
  await jobs.cancel(id);
  await looked;
  assert.equal(told?.status, 'cancelled');
  assert.ok(told.completed_at !== null && told.checkpoint === null && told.seq > waiting.seq);
});
