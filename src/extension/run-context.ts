import { isActive, possibleActions, type RunAction, type RunState } from '../shared/panel.js';
import type { RunContextKey } from './command-table.js';

/** What the commands' enablement goes by: which of them there is a run for. */
export function contextOfRuns(runs: readonly RunState[]): Record<RunContextKey, boolean> {
  const some = (action: RunAction, among: (run: RunState) => boolean = () => true) =>
    runs.some((run) => among(run) && possibleActions(run).includes(action));
  return {
    active: some('cancel'),
    running: some('pause'),
    paused: some('resume', isActive),
    resumable: some('resume', (run) => !isActive(run)),
    completed: some('evaluate'),
    deletable: some('delete'),
    runs: runs.length > 0,
  };
}
