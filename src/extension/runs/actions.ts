import type { RunAction, RunState } from '../../shared/panel.js';
import type { Parts } from '../parts.js';
import type { Workbench } from '../workbench-host.js';
import { chooseRun, chooseRunsToCompare } from './choose-run.js';
import { deleteRun } from './delete.js';
import { evaluateRun } from './evaluate.js';
import { exportRun } from './export.js';
import { openRunFolder } from './folder.js';
import { cancelRun, pauseRun, resumeRun } from './training.js';

/** Does one thing to a run of which it is known that it makes sense. */
export type RunHandler = (run: RunState, workbench: Workbench, parts: Parts) => Promise<void>;

const handlers: Record<RunAction, RunHandler> = {
  pause: pauseRun,
  resume: resumeRun,
  cancel: cancelRun,
  evaluate: evaluateRun,
  export: exportRun,
  openFolder: openRunFolder,
  showLogs: (_run, _workbench, { channel }) => {
    channel.show();
    return Promise.resolve();
  },
  delete: deleteRun,
};

/**
 * Does something to a run: the one given by id, else the only one it makes sense for `among` them, else the one the person
 * picks.
 * Everything that the palette, the tree and the panel's cards can do to a run goes through here.
 * @throws WorkbenchError where there is no such run, or it cannot be done to it now.
 */
export async function actOnRun(
  parts: Parts,
  action: RunAction,
  id?: string,
  among: (run: RunState) => boolean = () => true,
): Promise<void> {
  const workbench = await parts.host.open();
  const run = await chooseRun(workbench.board, action, id, among);
  if (run !== undefined) await handlers[action](run, workbench, parts);
}

/** Shows runs side by side: those given, if they are several, else those that the person picks. */
export async function compareRuns(parts: Parts, given: readonly string[]): Promise<void> {
  const { board } = await parts.host.open();
  const ids = given.length > 1 ? [...given] : await chooseRunsToCompare(board);
  if (ids !== undefined && ids.length > 1) await parts.panel.show({ name: 'compare', ids });
}
