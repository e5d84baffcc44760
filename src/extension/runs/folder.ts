import { existsSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import type { RunHandler } from './actions.js';

/** Whether the extension and the window are on one machine, with a file manager and a trash. */
export const onDesktop = (): boolean =>
  vscode.env.remoteName === undefined && vscode.env.uiKind === vscode.UIKind.Desktop;

/** Shows a file where this window can: in the system's file manager, in the Explorer, else in an editor. */
export async function revealFile(file: string): Promise<void> {
  const uri = vscode.Uri.file(file);
  const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  const command = onDesktop() ? 'revealFileInOS' : inWorkspace ? 'revealInExplorer' : 'vscode.open';
  await vscode.commands.executeCommand(command, uri);
}

export const openRunFolder: RunHandler = async ({ dir }) => {
  const config = path.join(dir, 'config.sae.json');
  // A run that has not come far has no complete configuration yet.
  await revealFile(existsSync(config) ? config : path.join(dir, 'job.json'));
};
