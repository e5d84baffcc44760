import { appendFile, open, readFile, stat, truncate } from 'node:fs/promises';
import * as v from 'valibot';
import { configSchema, parseConfig, type SaeConfig } from '../shared/config.js';
import { inputError } from '../shared/errors.js';
import { engineProgressSchema, isTerminal, metricsSchema, type JobStatus, type Metrics } from '../shared/events.js';
import type { Evaluation } from '../shared/messages.js';
import { profileSchema, type Profile } from '../shared/profile.js';
import { writeFileAtomic } from './atomic.js';
import { absolutePaths, readConfigFile } from './config-file.js';
import { configPath, evaluationPath, jobPath, metricsPath, newestCheckpoint, profilePath } from './layout.js';
import { RunLock } from './lock.js';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const moment = v.nullable(v.pipe(v.string(), v.isoTimestamp()));

/** `job.json`: the state of a job, in the words of its events, and when it got there. */
export const jobRecordSchema = v.object({
  job_id: v.pipe(v.string(), v.minLength(1)),
  ...engineProgressSchema.entries,
  /** 1 for the first start, one more for each resume. */
  attempt: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Of the last event sent. */
  seq: count,
  created_at: v.pipe(v.string(), v.isoTimestamp()),
  /** When the first attempt left the queue. */
  started_at: moment,
  /** When the job completed, failed or was cancelled. */
  completed_at: moment,
  /** Seconds of work of all attempts: neither queued nor paused. */
  elapsed_time: v.pipe(v.number(), v.finite(), v.minValue(0)),
  output_dir: v.string(),
  /** The configuration as it was given; `config.sae.json` has the complete one once it is known. */
  config: configSchema,
  error: v.optional(
    v.object({ code: v.string(), message: v.string(), hint: v.string(), field: v.optional(v.string()) }),
  ),
  /** The trained weights, once there. */
  model_path: v.optional(v.string()),
});
export type JobRecord = v.InferOutput<typeof jobRecordSchema>;

/** A line of `metrics.jsonl`: one logging step. */
export interface MetricsLine {
  step: number;
  epoch: number;
  tokens: number;
  tokens_per_second: number | null;
  metrics: Metrics;
  timestamp: string;
}

const metricsLineSchema: v.GenericSchema<unknown, MetricsLine> = v.object({
  step: count,
  epoch: count,
  tokens: count,
  tokens_per_second: v.nullable(v.number()),
  metrics: metricsSchema,
  timestamp: v.string(),
});

const orNull = v.nullable(v.number());

const evaluationSchema: v.GenericSchema<unknown, Evaluation> = v.looseObject({
  tokens: count,
  explained_variance: orNull,
  fvu: orNull,
  l0: orNull,
  dead_features: orNull,
  dead_fraction: orNull,
  cosine: orNull,
  l2_ratio: orNull,
  mse: orNull,
  cross_entropy: v.nullable(
    v.looseObject({
      tokens: count,
      clean: v.number(),
      sae: v.number(),
      zero: v.number(),
      mean: v.number(),
      loss_recovered: orNull,
      loss_recovered_mean: orNull,
    }),
  ),
  density: v.looseObject({ edges: v.array(v.number()), counts: v.array(count), never: count }),
  units: v.record(v.string(), v.string()),
  notes: v.record(v.string(), v.string()),
  text: v.string(),
});

function unreadable(dir: string, why: string): Error {
  return inputError('run_unreadable', `${dir} is not a readable run folder: ${why}.`, 'Give the folder of a run.');
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** @throws WorkbenchError `run_unreadable` if there is no valid `job.json`. */
export async function readJob(dir: string): Promise<JobRecord> {
  const text = await readOrNull(jobPath(dir));
  if (text === null) throw unreadable(dir, 'it has no job.json');
  const parsed = v.safeParse(jobRecordSchema, parseJson(text));
  if (!parsed.success) throw unreadable(dir, 'its job.json is damaged');
  return parsed.output;
}

export const serializeJob = (record: JobRecord): string => `${JSON.stringify(record, null, 2)}\n`;

export async function writeJob(dir: string, record: JobRecord): Promise<void> {
  await writeFileAtomic(jobPath(dir), serializeJob(record));
}

/** Adds lines to the end of `metrics.jsonl`. */
export async function appendMetrics(dir: string, ...lines: MetricsLine[]): Promise<void> {
  await appendFile(metricsPath(dir), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** A line of `metrics.jsonl`; null if it is damaged. */
export function parseMetricsLine(line: string): MetricsLine | null {
  const parsed = v.safeParse(metricsLineSchema, parseJson(line));
  return parsed.success ? parsed.output : null;
}

/** The whole lines of `metrics.jsonl`; a last line that a crash cut short is left out. */
export async function readMetrics(dir: string): Promise<MetricsLine[]> {
  const text = (await readOrNull(metricsPath(dir))) ?? '';
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .map(parseMetricsLine)
    .filter((line) => line !== null);
}

/** Cuts `metrics.jsonl` back to the lines of steps up to `step`, so that a resumed run continues it without a seam. */
export async function truncateMetrics(dir: string, step: number): Promise<void> {
  const text = await readOrNull(metricsPath(dir));
  if (text === null) return;
  let keep = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', keep)) {
    const line = parseMetricsLine(text.slice(keep, end));
    if (line === null || line.step > step) break;
    keep = end + 1;
  }
  await truncate(metricsPath(dir), Buffer.byteLength(text.slice(0, keep)));
  const handle = await open(metricsPath(dir), 'r+');
  await handle.sync().finally(() => handle.close());
}

/** What a run folder tells about its run as a whole. */
export interface RunSummary {
  dir: string;
  /** As in `job.json`, but `interrupted` where a run that has not ended is held by nobody. */
  status: JobStatus;
  job: JobRecord;
  /** The complete configuration once the run has written it, else the one it was started with; paths absolute. */
  config: SaeConfig;
  /** Null where there is none, or a damaged one. */
  evaluation: Evaluation | null;
  /** Where the time went until the last checkpoint, or the end; null where that is not known. */
  profile: Profile | null;
  /** Where a resume would start: the folder of the newest checkpoint. */
  checkpoint: string | null;
}

/** A run's story from its folder. */
export interface Run extends RunSummary {
  lastMetrics: MetricsLine | null;
}

/**
 * Reads what a run folder tells without any process alive, but not the course of its training, which may be long.
 * @throws WorkbenchError `run_unreadable`.
 */
export async function readRunSummary(dir: string): Promise<RunSummary> {
  let job = await readJob(dir);
  let held = false;
  if (!isTerminal(job.status)) {
    held = (await RunLock.owner(dir)) !== null;
    // It may have ended between the two looks.
    if (!held) job = await readJob(dir);
  }
  return {
    dir,
    status: held || isTerminal(job.status) ? job.status : 'interrupted',
    job,
    config: await readRunConfig(dir, job),
    evaluation: await readEvaluation(dir),
    profile: await readProfile(dir),
    checkpoint: await newestCheckpoint(dir),
  };
}

/**
 * Reads a run's story with the end of its metrics.
 * @throws WorkbenchError `run_unreadable`.
 */
export async function readRun(dir: string): Promise<Run> {
  const summary = await readRunSummary(dir);
  return { ...summary, lastMetrics: (await readMetrics(dir)).at(-1) ?? null };
}

async function readEvaluation(dir: string): Promise<Evaluation | null> {
  const parsed = v.safeParse(evaluationSchema, parseJson((await readOrNull(evaluationPath(dir))) ?? ''));
  return parsed.success ? parsed.output : null;
}

/** Null where there is none, or a damaged one. */
export async function readProfile(dir: string): Promise<Profile | null> {
  const parsed = v.safeParse(profileSchema, parseJson((await readOrNull(profilePath(dir))) ?? ''));
  return parsed.success ? parsed.output : null;
}

export async function writeProfile(dir: string, profile: Profile): Promise<void> {
  await writeFileAtomic(profilePath(dir), `${JSON.stringify(profile, null, 2)}\n`);
}

async function readRunConfig(dir: string, job: JobRecord): Promise<SaeConfig> {
  try {
    await stat(configPath(dir));
  } catch {
    return absolutePaths(parseConfig(job.config, 'job.json'), dir);
  }
  return readConfigFile(configPath(dir));
}
