import { newestCheckpoint, weightsPath } from '../../run/layout.js';
import type { JobView } from '../../shared/api.js';
import { isActive, type RunState } from '../../shared/panel.js';
import { hookOf } from '../../shared/wording.js';
import type { Job, JobManager } from '../jobs.js';
import type { RunBoard } from '../run-board.js';
import { stateOfJob, stateOfUntold } from '../run-state.js';

/** The runs that the API knows, newest first: those of the board, each as its job tells of it where that knows more. */
export function currentRuns(board: RunBoard, jobs: JobManager): RunState[] {
  return board.list().map((run) => newest(run, jobs.find(run.id)));
}

/** One of them. */
export function currentRun(board: RunBoard, jobs: JobManager, id: string): RunState | undefined {
  const run = board.get(id);
  return run && newest(run, jobs.find(id));
}

/** The board learns of a job's end only when its folder has been read. */
function newest(run: RunState, job: Job | undefined): RunState {
  if (job === undefined) return run;
  const { attempt, seq } = job.progress;
  const later = attempt > run.progress.attempt || (attempt === run.progress.attempt && seq > run.progress.seq);
  if (!later) return run;
  return isActive(job) ? stateOfJob(job, run) : stateOfUntold(job, run);
}

/** A run as the API shows it. */
export async function jobView(run: RunState): Promise<JobView> {
  const { progress, config, dir, error } = run;
  const { status, phase, metrics, elapsed_time, estimated_remaining, attempt, seq } = progress;
  const { step, total_steps, tokens, tokens_per_second } = progress;
  return {
    job_id: run.id,
    name: run.name,
    status,
    phase,
    layer_idx: config.layer_idx ?? layerOf(hookOf(config)),
    output_dir: dir,
    config,
    progress: { current_epoch: progress.epoch, total_epochs: progress.total_epochs, percent: progress.progress },
    phase_progress: progress.phase_progress,
    metrics,
    created_at: run.createdAt,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    elapsed_time,
    estimated_remaining,
    attempt,
    seq,
    step,
    total_steps,
    tokens,
    tokens_per_second,
    checkpoint: status === 'completed' ? null : await newestCheckpoint(dir),
    ...(error === null ? {} : { error }),
    ...(status === 'completed' ? { model_path: weightsPath(dir) } : {}),
  };
}

/** The layer of a hook point by its TransformerLens name. */
function layerOf(hook: string | undefined): number | null {
  const layer = /^blocks\.(\d{1,9})\./.exec(hook ?? '')?.[1];
  return layer === undefined ? null : Number(layer);
}
