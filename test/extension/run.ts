import type { JobStatus, TrainingProgress } from '../../src/shared/events.js';
import type { RunState } from '../../src/shared/panel.js';
import { sampleRun } from '../webview/sample-run.js';

const ended: readonly JobStatus[] = ['completed', 'failed', 'cancelled', 'interrupted'];

/** A run of this window in the given state, 42 % done. */
export function runState(
  status: JobStatus,
  changes: Partial<RunState> = {},
  progress: Partial<TrainingProgress> = {},
): RunState {
  const owner = ended.includes(status) ? 'nobody' : 'here';
  const now = { status, progress: 42, estimated_remaining: 200, elapsed_time: 151 };
  return sampleRun(changes.id ?? 'a', { owner, name: 'demo', ...changes }, { ...now, ...progress });
}
