import { countdown, fixed, localTime } from '../../shared/format.js';
import { isActive, type RunState } from '../../shared/panel.js';

/** Percent of the whole run. 100 is kept for what is done: rounding must not promise it early. */
export function percentDone(progress: number): string {
  return `${(progress >= 100 ? 100 : Math.min(99.9, progress)).toFixed(1)} %`;
}

/** What a closed card tells of its run. */
export function summaryOf(run: RunState): string {
  const { status, progress, estimated_remaining: remaining, metrics } = run.progress;
  const heldOut = run.evaluation;
  const quality = heldOut ? heldOut.explained_variance : metrics.explained_variance;
  const sparsity = heldOut ? heldOut.l0 : metrics.l0;
  const parts = [
    status === 'completed' || status === 'queued' ? '' : percentDone(progress),
    isActive(run) && remaining !== null ? `${countdown(remaining)} left` : '',
    quality === null ? '' : `explained variance ${fixed(quality, 4)}`,
    sparsity === null ? '' : `L0 ${fixed(sparsity, 2)}`,
    isActive(run) ? '' : localTime(run.createdAt),
  ];
  return parts.filter(Boolean).join(' · ');
}
