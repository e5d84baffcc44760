import { isDeepStrictEqual } from 'node:util';
import type { RunSummary } from '../run/records.js';
import type { JobStatus, TrainingProgress } from '../shared/events.js';
import { isActive, type RunState } from '../shared/panel.js';
import { runName } from '../shared/wording.js';
import type { Job } from './job.js';

/** How front ends show what a run folder tells, last changed at `changedMs` (milliseconds since 1970). */
export function stateOfFolder(summary: RunSummary, changedMs: number): RunState {
  const { dir, job, config, evaluation, profile, checkpoint } = summary;
  const status = isBetweenProcesses(summary, changedMs) ? job.status : summary.status;
  const progress: TrainingProgress = {
    type: 'training_progress',
    job_id: job.job_id,
    seq: job.seq,
    attempt: job.attempt,
    ...progressOf(summary, status),
    elapsed_time: job.elapsed_time,
    timestamp: new Date(changedMs).toISOString(),
    ...(job.error === undefined ? {} : { error: job.error.message }),
  };
  return {
    id: job.job_id,
    dir,
    name: runName(config),
    owner: isActive({ progress }) ? 'elsewhere' : 'nobody',
    progress,
    responding: true,
    createdAt: job.created_at,
    startedAt: job.started_at,
    completedAt: job.completed_at,
    error: job.error ?? null,
    checkpoint: checkpoint !== null,
    config,
    evaluation: status === 'completed' ? evaluation : null,
    profile,
  };
}

/** How front ends show a job of this process that is waiting or running. `before`: how the run was shown until now. */
export function stateOfJob(job: Job, before: RunState | undefined): RunState {
  const { progress, record } = job;
  // Until the engine has filled in the defaults of this attempt there is only what was asked for.
  const config = before?.progress.attempt === progress.attempt ? before.config : record.config;
  return {
    id: job.id,
    dir: job.runDir,
    name: runName(config),
    owner: 'here',
    progress,
    responding: job.responding,
    createdAt: record.created_at,
    startedAt: record.started_at,
    completedAt: null,
    error: null,
    checkpoint: before?.checkpoint ?? false,
    config,
    evaluation: null,
    profile: before?.profile ?? null,
  };
}

/**
 * Whether what a folder shows is the end of a job of this process, or what others made of the run since then. It is not
 * where the attempt was undone because its input could not be used, or where its end could not be written.
 */
export function tellsOf(state: RunState, { record }: Job): boolean {
  const { attempt, seq } = state.progress;
  if (state.owner === 'elsewhere') return true;
  return attempt > record.attempt || (attempt === record.attempt && seq >= record.seq);
}

/** How front ends show a job of this process that has ended, where what its folder shows (`left`) does not tell of it. */
export function stateOfUntold(job: Job, left: RunState | undefined): RunState {
  const { progress, record } = job;
  const state = left ?? { ...stateOfJob(job, undefined), saved: false };
  return { ...state, owner: 'nobody', progress, completedAt: record.completed_at, error: record.error ?? null };
}

/** Whether two states differ in more than the numbers of a run's progress. */
export function differs(a: RunState, b: RunState): boolean {
  const rest = (state: RunState) => {
    const { status, attempt } = state.progress;
    return { ...state, progress: { status, attempt } };
  };
  return !isDeepStrictEqual(rest(a), rest(b));
}

const handoverMs = 5000;

/** A job that is being started holds its folder only once its engine is there; until then it is not interrupted yet. */
function isBetweenProcesses({ job, status }: RunSummary, changedMs: number): boolean {
  const starting = job.status === 'queued' || job.status === 'starting';
  return starting && status === 'interrupted' && Math.abs(Date.now() - changedMs) < handoverMs;
}

function progressOf({ job }: RunSummary, status: JobStatus) {
  const { phase, epoch, total_epochs, progress, phase_progress, metrics } = job;
  const { estimated_remaining, step, total_steps, tokens, tokens_per_second } = job;
  const now = { status, phase, epoch, total_epochs, progress, phase_progress, metrics };
  const left = status === 'interrupted' ? null : estimated_remaining;
  return { ...now, estimated_remaining: left, step, total_steps, tokens, tokens_per_second };
}
