import * as vscode from 'vscode';
import { possibleActions, type RunState } from '../shared/panel.js';
import { commandId, type CommandName } from './command-table.js';
import { endMessage } from './end-message.js';
import type { Parts } from './parts.js';
import { onRunsHere } from './runs-here.js';
import { readSetting } from './settings.js';

/** One notification when a run has ended by itself, and nobody sees it in the panel. */
export function registerNotifications({ host, panel }: Parts): vscode.Disposable {
  return onRunsHere(host, (run, now) => {
    const when = readSetting('notifications.onEnd');
    if (now === 'begins' || when === 'never' || (when === 'whenPanelHidden' && panel.visible)) return;
    void tell(run);
  });
}

async function tell(run: RunState): Promise<void> {
  const message = endMessage(run, vscode.l10n.t);
  if (message === undefined) return;
  const possible = possibleActions(run);
  const openPanel = { title: vscode.l10n.t('Open Panel'), command: 'openPanel' };
  const evaluate = { title: vscode.l10n.t('Evaluate'), command: 'evaluateSae' };
  const exportSae = { title: vscode.l10n.t('Export'), command: 'exportSae' };
  const resume = { title: vscode.l10n.t('Resume'), command: 'resumeRun' };
  const showLogs = { title: vscode.l10n.t('Show Logs'), command: 'showLogs' };
  const failed = [...(possible.includes('resume') ? [resume] : []), openPanel, showLogs];
  const chosen =
    run.progress.status === 'failed'
      ? await vscode.window.showErrorMessage(message, ...failed)
      : await vscode.window.showInformationMessage(message, openPanel, evaluate, exportSae);
  if (chosen !== undefined) await vscode.commands.executeCommand(commandId(chosen.command as CommandName), run.id);
}
