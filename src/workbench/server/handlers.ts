import path from 'node:path';
import { newestCheckpoint } from '../../run/layout.js';
import { RunLock } from '../../run/lock.js';
import type { CancelReply, Health, JobList, JobView, TrainReply } from '../../shared/api.js';
import type { SaeConfig } from '../../shared/config.js';
import { inputError } from '../../shared/errors.js';
import type { Log } from '../../shared/logs.js';
import { possibleActions, type RunAction, type RunState } from '../../shared/panel.js';
import type { JobManager } from '../jobs.js';
import type { RunBoard } from '../run-board.js';
import { currentRun, currentRuns, jobView } from './job-view.js';
import { readTrainRequest } from './train-request.js';

/** What the endpoints work with. */
export interface RoutesOptions {
  jobs: JobManager;
  board: RunBoard;
  log: Log;
  version: string;
  /** Relative paths of requests count from it, and what requests name lies in it. */
  root: string;
  /** Where new runs go; an `output_dir` lies in it. Asked at every request. */
  runsFolder: () => string;
  /** More folders that requests may name files in. Asked at every request. */
  folders?: () => readonly string[];
  /** Model, text and threads of requests that name none; else the bundled ones and all cores. */
  defaults?: () => Pick<SaeConfig, 'model' | 'text' | 'threads'>;
  /** When the server was started, in milliseconds since 1970. */
  startedAt: number;
}

/** What a request says. */
export interface Call {
  /** Of the path; empty where it has none. */
  jobId: string;
  /** Of endpoints that take one. */
  body: unknown;
}

export type Handler = (options: RoutesOptions, call: Call) => unknown;

export function health({ jobs, version, startedAt }: RoutesOptions): Health {
  const states = jobs.list().map(({ state }) => state);
  const count = (wanted: string) => states.filter((state) => state === wanted).length;
  const uptime = Math.max(0, Date.now() - startedAt) / 1000;
  return { status: 'healthy', version, uptime, jobs: { running: count('running'), queued: count('waiting') } };
}

/** @throws WorkbenchError what `readTrainRequest` and `JobManager.start` throw. */
export async function train(options: RoutesOptions, { body }: Call): Promise<TrainReply> {
  const runsFolder = path.resolve(options.runsFolder());
  const config = await readTrainRequest(body, {
    root: path.resolve(options.root),
    folders: (options.folders?.() ?? []).map((folder) => path.resolve(folder)),
    runsFolder,
    defaults: options.defaults?.() ?? {},
  });
  const job = await options.jobs.start(config, { runsFolder });
  const message = job.state === 'waiting' ? 'The training waits for its turn.' : 'The training has started.';
  return { success: true, job_id: job.id, message, output_dir: job.runDir };
}

export async function listJobs({ board, jobs }: RoutesOptions): Promise<JobList> {
  const views = await Promise.all(currentRuns(board, jobs).map(jobView));
  return { jobs: views, total: views.length };
}

/** @throws WorkbenchError `job_not_found`. */
export async function showJob(options: RoutesOptions, { jobId }: Call): Promise<JobView> {
  return jobView(runOf(options, jobId));
}

/** Answers when the engine is gone. @throws WorkbenchError `job_not_found`, `wrong_state`, `run_in_use`. */
export async function cancelJob(options: RoutesOptions, { jobId }: Call): Promise<CancelReply> {
  const run = await runFor('cancel', options, jobId);
  const end = await options.jobs.cancel(run.id);
  const checkpoint = 'checkpoint' in end ? end.checkpoint : await newestCheckpoint(end.outputDir);
  return { success: end.status === 'cancelled', status: end.status, checkpoint };
}

/** Answers when training stands still. @throws WorkbenchError `job_not_found`, `wrong_state`, `run_in_use`. */
export async function pauseJob(options: RoutesOptions, { jobId }: Call): Promise<JobView> {
  const run = await runFor('pause', options, jobId);
  await options.jobs.pause(run.id);
  return showJob(options, { jobId, body: undefined });
}

/**
 * Goes on with a paused job, or starts the next attempt at one that has ended.
 * @throws WorkbenchError `job_not_found`, `wrong_state`, `run_in_use`, `queue_full`, and what else `JobManager.start` throws.
 */
export async function resumeJob(options: RoutesOptions, { jobId }: Call): Promise<JobView> {
  const run = await runFor('resume', options, jobId);
  if (run.progress.status === 'paused') await options.jobs.resume(run.id);
  else await options.jobs.start({}, { runDir: run.dir, resume: true });
  return showJob(options, { jobId, body: undefined });
}

function runOf({ board, jobs }: RoutesOptions, id: string): RunState {
  const run = currentRun(board, jobs, id);
  if (run !== undefined) return run;
  throw inputError('job_not_found', `There is no job ${id}.`, 'GET /sae/training/jobs lists the jobs with their ids.');
}

const done = { cancel: 'cancelled', pause: 'paused', resume: 'resumed' } as const satisfies Partial<
  Record<RunAction, string>
>;

/** The run, if that can be done to it now. */
async function runFor(action: keyof typeof done, options: RoutesOptions, id: string): Promise<RunState> {
  const run = runOf(options, id);
  if (possibleActions(run).includes(action)) return run;
  if (run.owner !== 'elsewhere') {
    const sentence = `Job ${id} is ${run.progress.status} and cannot be ${done[action]}.`;
    throw inputError('wrong_state', sentence, 'Look at the status of the job first.');
  }
  const owner = await RunLock.owner(run.dir);
  const where = owner === null ? 'another process' : `process ${owner.pid} on ${owner.host}`;
  const sentence = `Job ${id} is trained by ${where}, not by this server, and cannot be ${done[action]} here.`;
  throw inputError('run_in_use', sentence, 'Go to the window or terminal that trains it.');
}
