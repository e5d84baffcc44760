import { existsSync } from 'node:fs';
import { open, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { cancelReplySchema, jobListSchema, jobViewSchema, type ServerMessage } from '../../shared/api.js';
import type { SaeConfig } from '../../shared/config.js';
import type { JobEvent, TrainingProgress } from '../../shared/events.js';
import { whole } from '../../shared/format.js';
import { lockPath, readRun, saeLensConfigPath } from '../../workbench/runs.js';
import { type Check, expect, type Finding } from './check.js';
import type { Place } from './place.js';
import { stillHealthy } from './server.js';

/** Small runs through the real engine and the real server, and what is told of those that fail. */

const small: SaeConfig = {
  model: 'bundled:demo-gpt2',
  text: ['bundled:sample'],
  layer_idx: 0,
  max_samples: 8,
  max_epochs: 3,
  latent_dim: 256,
  k: 8,
  batch_size: 128,
  cross_entropy_tokens: 256,
  checkpoint_seconds: 0.5,
};
const endless: SaeConfig = { ...small, max_epochs: 1_000_000 };

/** The event that ends a job: after the `training_progress` that tells of it too. */
const endOf = (id: string) => (message: ServerMessage) =>
  'job_id' in message && message.job_id === id && message.type !== 'training_progress' ? message : undefined;

/** The first progress of an attempt in which something has been trained. */
const stepOf = (id: string, attempt: number) => (message: ServerMessage) => {
  if (message.type !== 'training_progress' || message.job_id !== id || message.attempt !== attempt) return undefined;
  return message.phase === 'training' && message.step > 0 ? message : undefined;
};

async function training(place: Place): Promise<Finding> {
  const run = await place.train({ config: small });
  const end = await place.hear(endOf(run.id));
  const why = end.type === 'training_failed' ? `${end.error} ${end.hint}` : end.status;
  expect(end.type === 'training_completed', `A small run did not complete: ${why}`);
  place.completed = run;
  const { step, tokens, elapsed_time } = progressOf(place.eventsOf(run.id)).at(-1)!;
  return `${whole(tokens)} tokens in ${step} steps, ${elapsed_time.toFixed(1)} s in all`;
}

/** What was told while it trained: everything, in order, never falling, and 100 once. */
function progress(place: Place): Finding {
  const events = place.eventsOf(place.completed!.id);
  events.forEach(({ seq }, i) => {
    expect(seq === events[0]!.seq + i, `After event ${events[i - 1]?.seq} came event ${seq}.`);
  });
  const told = progressOf(events);
  told.forEach((now, i) => {
    const before = told[i - 1]?.progress ?? 0;
    expect(now.progress >= before, `Progress fell from ${before} to ${now.progress} %.`);
    expect(now.progress < 100 || i === told.length - 1, 'Progress was 100 % before the end.');
  });
  expect(told.at(-1)?.progress === 100, `Progress ended at ${told.at(-1)?.progress} %.`);
  expect(events.at(-1)?.type === 'training_completed', `The last event was ${events.at(-1)?.type}.`);
  return `${events.length} events in order, from 0 to 100 %`;
}

async function status(place: Place): Promise<Finding> {
  const { id } = place.completed!;
  const { body } = await place.request('GET', `/sae/training/status/${id}`);
  const job = v.parse(jobViewSchema, body);
  expect(job.status === 'completed' && job.progress.percent === 100, `The status says ${job.status}.`);
  const list = v.parse(jobListSchema, (await place.request('GET', '/sae/training/jobs')).body);
  expect(
    list.jobs.some(({ job_id }) => job_id === id),
    'The run is not in the list of jobs.',
  );
  return 'the API shows the run as completed';
}

async function runFolder(place: Place): Promise<Finding> {
  const run = await readRun(place.completed!.dir);
  const { model_path: weights = '' } = run.job;
  expect(run.evaluation !== null, 'evaluation.json is missing or damaged.');
  JSON.parse(await readFile(saeLensConfigPath(run.dir), 'utf8'));
  const tensors = await tensorsOf(weights);
  const missing = ['W_enc', 'b_enc', 'W_dec', 'b_dec'].filter((name) => !tensors.includes(name));
  expect(missing.length === 0, `${weights} lacks ${missing.join(', ')}.`);
  return `weights, metrics and evaluation are readable; explained variance ${run.evaluation.explained_variance?.toFixed(2)}`;
}

/** The names of the tensors of a safetensors file that holds all of them. */
async function tensorsOf(file: string): Promise<string[]> {
  const handle = await open(file);
  try {
    const start = Buffer.alloc(8);
    await handle.read(start);
    const length = Number(start.readBigUInt64LE());
    const { size } = await stat(file);
    expect(length < size, `${file} is cut off in its header.`);
    const header = Buffer.alloc(length);
    await handle.read(header, 0, length, 8);
    const tensors = JSON.parse(header.toString()) as Record<string, { data_offsets?: [number, number] }>;
    const end = Math.max(...Object.values(tensors).map(({ data_offsets }) => data_offsets?.[1] ?? 0));
    expect(8 + length + end === size, `${file} has ${size} bytes instead of ${8 + length + end}.`);
    return Object.keys(tensors);
  } finally {
    await handle.close();
  }
}

/** Input that looks right and is not: the run fails, the server does not. */
async function damagedInput(place: Place): Promise<Finding> {
  await writeFile(path.join(place.folder, 'damaged.parquet'), 'PAR1, but not really');
  const { id } = await place.train({ activation_data_path: 'damaged.parquet', latent_dim: 64 });
  const end = await place.hear(endOf(id));
  expect(end.type === 'training_failed', `Training on a damaged file ended as ${end.status}.`);
  await stillHealthy(place);
  return `“${end.error}”`;
}

/** An engine that is killed: the run fails, the server does not. */
async function deadEngine(place: Place): Promise<Finding> {
  const run = await place.train({ config: endless });
  await place.hear(stepOf(run.id, 1));
  const { pid } = JSON.parse(await readFile(lockPath(run.dir), 'utf8')) as { pid: number };
  expect(pid !== process.pid, 'The engine has no process of its own.');
  process.kill(pid, 'SIGKILL');
  const end = await place.hear(endOf(run.id));
  expect(end.type === 'training_failed', `A run whose engine was killed ended as ${end.status}.`);
  await stillHealthy(place);
  place.stopped = run;
  return `“${end.error}”`;
}

async function resume(place: Place): Promise<Finding> {
  const { id } = place.stopped!;
  const reply = await place.request('POST', `/sae/training/${id}/resume`);
  expect(reply.status === 200, `It was answered ${reply.status}: ${JSON.stringify(reply.body)}`);
  const { step } = await place.hear(stepOf(id, 2));
  return `the run goes on at step ${whole(step)}`;
}

async function cancel(place: Place): Promise<Finding> {
  const { id } = place.stopped!;
  const { body } = await place.request('DELETE', `/sae/training/${id}`);
  const reply = v.parse(cancelReplySchema, body);
  expect(reply.success && reply.status === 'cancelled', `The run ended as ${reply.status}.`);
  await place.hear((message) => (message.type === 'training_cancelled' && message.job_id === id ? true : undefined));
  expect(reply.checkpoint !== null && existsSync(reply.checkpoint), 'No checkpoint was kept.');
  return 'the run stops and keeps a checkpoint';
}

function progressOf(events: readonly JobEvent[]): TrainingProgress[] {
  return events.filter((event) => event.type === 'training_progress');
}

const trained = ['training'];
const killed = ['killed engine'];

export const trainingChecks: readonly Check<Place>[] = [
  { name: 'training', needs: ['native library', 'WebSocket'], within: 60, run: training },
  { name: 'progress', needs: trained, run: progress },
  { name: 'status', needs: trained, run: status },
  { name: 'run folder', needs: trained, run: runFolder },
  { name: 'damaged input', needs: trained, within: 20, run: damagedInput },
  { name: 'killed engine', needs: trained, within: 30, run: deadEngine },
  { name: 'resume', needs: killed, within: 30, run: resume },
  { name: 'cancel', needs: ['resume'], within: 20, run: cancel },
];
