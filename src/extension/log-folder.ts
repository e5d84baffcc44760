import { existsSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Parts } from './parts.js';

/** Shows the log files: in the system's file manager where that is on this machine, else `api.log` in an editor. */
export async function openLogFolder({ host }: Parts): Promise<void> {
  const { logs } = await host.open();
  await logs.opened();
  const { folder } = logs;
  if (folder === undefined) {
    await vscode.window.showWarningMessage(
      vscode.l10n.t('The log folder cannot be written. The Output channel has what was logged.'),
    );
    return;
  }
  const file = path.join(folder, 'api.log');
  const shown = vscode.Uri.file(existsSync(file) ? file : folder);
  const local = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
  if (local) await vscode.commands.executeCommand('revealFileInOS', shown);
  else if (shown.fsPath === folder) await vscode.window.showInformationMessage(vscode.l10n.t('Nothing is logged yet.'));
  else await vscode.window.showTextDocument(shown);
}
