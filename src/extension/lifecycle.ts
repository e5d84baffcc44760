import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { isTerminal } from '../shared/events.js';
import { percent } from '../shared/format.js';
import { isActive, type RunState } from '../shared/panel.js';
import type { RunBoard } from '../workbench/index.js';
import { commandId } from './command-table.js';
import { withoutLinks } from './markdown.js';
import type { Parts } from './parts.js';
import { reportProblem } from './problem.js';
import { RememberedRuns } from './remembered-runs.js';
import { onRunsHere } from './runs-here.js';
import { ownRunsFolders } from './runs-folders.js';
import { readSetting } from './settings.js';

/** The engine of a window that was closed may take 10 s to write its checkpoint, and a lock that nobody gave back 20 s to go stale. */
const settleMs = 40_000;

/** Remembers which runs this window trains, and after a reload offers to resume them. */
export function registerLifecycle(parts: Parts): vscode.Disposable {
  const { host, context } = parts;
  const inWorkspace = (vscode.workspace.workspaceFolders ?? []).length > 0;
  const remembered = new RememberedRuns(inWorkspace ? context.workspaceState : context.globalState);
  const following = onRunsHere(host, (run, now) => {
    if (now === 'begins') void remembered.remember(run.id);
    // What the closing window interrupts is what the next one asks about.
    else if (run.progress.status !== 'interrupted') void remembered.forget(run.id);
  });
  welcomeBack(parts, remembered).catch((error: unknown) => reportProblem(error, host.log));
  return following;
}

/** Opens the workbench if there is something to see in it. */
async function welcomeBack(parts: Parts, remembered: RememberedRuns): Promise<void> {
  const { host, context } = parts;
  const left = remembered.list();
  if (left.length === 0 && !ownRunsFolders(context).some(existsSync)) return;
  const { board } = await host.open();
  if (left.length === 0 || !readSetting('notifications.offerResume')) return;
  const runs = await Promise.all(left.map((id) => atRest(board, id)));
  const gone = left.filter((_, i) => runs[i] === undefined || isTerminal(runs[i].progress.status));
  for (const id of gone) await remembered.forget(id);
  const interrupted = runs.filter((run) => run?.progress.status === 'interrupted') as RunState[];
  if (interrupted.length > 0) await offerResume(parts, board, interrupted, remembered);
}

async function offerResume(
  { panel }: Parts,
  board: RunBoard,
  runs: readonly RunState[],
  remembered: RememberedRuns,
): Promise<void> {
  const [first] = runs;
  const [resume, show] = [
    runs.length === 1 ? vscode.l10n.t('Resume') : vscode.l10n.t('Resume All'),
    vscode.l10n.t('Show'),
  ];
  const sentence =
    runs.length === 1
      ? vscode.l10n.t(
          '“{0}” was interrupted at {1}.',
          withoutLinks(first!.name),
          percent(first!.progress.progress / 100),
        )
      : vscode.l10n.t('{0} runs were interrupted.', runs.length);
  const chosen = await vscode.window.showInformationMessage(sentence, resume, show);
  // Until it was answered, some may have been resumed elsewhere: those are none of this any more.
  const still = runs.filter(({ id }) => board.get(id)?.progress.status === 'interrupted');
  // Asked once: from now on they are in the panel like any other interrupted run.
  for (const { id } of still) await remembered.forget(id);
  if (chosen === show) await panel.show({ name: 'runs', focus: first!.id });
  if (chosen !== resume) return;
  for (const { id } of still) await vscode.commands.executeCommand(commandId('resumeRun'), id);
}

/** The run once nobody trains it; as it is if that takes too long, undefined if there is none. */
async function atRest(board: RunBoard, id: string): Promise<RunState | undefined> {
  const moving = () => {
    const run = board.get(id);
    return run !== undefined && isActive(run);
  };
  if (moving()) {
    await new Promise<void>((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        unsubscribe();
        resolve();
      };
      const timer = setTimeout(finish, settleMs).unref();
      const unsubscribe = board.subscribe(() => {
        if (!moving()) finish();
      });
    });
  }
  return board.get(id);
}
