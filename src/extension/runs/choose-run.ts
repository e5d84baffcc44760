import * as vscode from 'vscode';
import { inputError } from '../../shared/errors.js';
import { localTime } from '../../shared/format.js';
import { possibleActions, type RunAction, type RunState } from '../../shared/panel.js';
import { saeLine } from '../../shared/wording.js';
import type { RunBoard } from '../../workbench/index.js';
import { nothingToDo, refusal } from './refusal.js';
import { iconOf, summaryOf } from './run-text.js';

interface RunItem extends vscode.QuickPickItem {
  run: RunState;
}

/**
 * The run an action is for: the one given by id, else the only one it makes sense for, else the one the person picks.
 * @throws WorkbenchError `job_not_found`, `run_in_use`, `wrong_state`.
 */
export async function chooseRun(
  board: RunBoard,
  action: RunAction,
  id: string | undefined,
  among: (run: RunState) => boolean,
): Promise<RunState | undefined> {
  if (id !== undefined) {
    const run = board.get(id);
    if (run === undefined)
      throw inputError(
        'job_not_found',
        vscode.l10n.t('There is no run {0}.', id),
        vscode.l10n.t('Refresh the list of runs.'),
      );
    const refused = refusal(run, action, vscode.l10n.t);
    if (refused !== undefined) throw refused;
    return run;
  }
  const runs = board.list().filter((run) => possibleActions(run).includes(action) && among(run));
  if (runs.length === 0) throw nothingToDo(action, vscode.l10n.t);
  if (runs.length === 1) return runs[0];
  const options = { title: titleOf(action), placeHolder: vscode.l10n.t('Which run?'), matchOnDetail: true };
  return (await vscode.window.showQuickPick(runs.map(itemOf), options))?.run;
}

/** The runs the person wants to see side by side; undefined if they changed their mind. */
export async function chooseRunsToCompare(board: RunBoard): Promise<string[] | undefined> {
  const picked = await vscode.window.showQuickPick(board.list().map(itemOf), {
    title: vscode.l10n.t('Compare Runs'),
    placeHolder: vscode.l10n.t('Two runs or more'),
    canPickMany: true,
    matchOnDetail: true,
  });
  return picked?.map(({ run }) => run.id);
}

function itemOf(run: RunState): RunItem {
  const { id, color } = iconOf(run);
  return {
    run,
    label: run.name,
    description: summaryOf(run, vscode.l10n.t),
    detail: `${saeLine(run.config)} · ${localTime(run.createdAt)}`,
    iconPath: new vscode.ThemeIcon(id, color === undefined ? undefined : new vscode.ThemeColor(color)),
  };
}

function titleOf(action: RunAction): string {
  switch (action) {
    case 'pause':
      return vscode.l10n.t('Pause Training');
    case 'resume':
      return vscode.l10n.t('Resume Training');
    case 'cancel':
      return vscode.l10n.t('Cancel Training');
    case 'evaluate':
      return vscode.l10n.t('Evaluate SAE');
    case 'export':
      return vscode.l10n.t('Export SAE');
    case 'openFolder':
      return vscode.l10n.t('Open Run Folder');
    case 'showLogs':
      return vscode.l10n.t('Show Logs');
    case 'delete':
      return vscode.l10n.t('Delete Run');
  }
}
