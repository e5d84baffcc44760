import path from 'node:path';
import * as vscode from 'vscode';
import type { SaeConfig } from '../../shared/config.js';
import type { Workbench } from '../workbench-host.js';
import { configFileName } from './config-name.js';
import { exists } from './search.js';

/**
 * Writes a configuration where the person says, and opens it. Returns the file; undefined if the person did not say.
 * @throws the file system's error.
 */
export async function saveConfig({ library }: Workbench, config: SaeConfig): Promise<vscode.Uri | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const chosen = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Save the Training as a File'),
    // A dialog would add `.sae.json` to a name that has it already: it looks at the last part only.
    filters: { [vscode.l10n.t('SAE configuration')]: ['json'] },
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, 'train.sae.json') } : {}),
  });
  if (!chosen) return undefined;
  const file = vscode.Uri.file(configFileName(chosen.fsPath));
  if (file.fsPath !== chosen.fsPath && !(await mayReplace(file))) return undefined;
  await library.writeConfigFile(file.fsPath, config);
  await vscode.window.showTextDocument(file, { preview: false });
  return file;
}

/** The dialog asked about the name as it was typed, not about the one it became. */
async function mayReplace(file: vscode.Uri): Promise<boolean> {
  if (!(await exists(file.fsPath))) return true;
  const replace = vscode.l10n.t('Replace');
  const question = vscode.l10n.t('{0} exists already. Replace it?', path.basename(file.fsPath));
  return (await vscode.window.showWarningMessage(question, { modal: true }, replace)) === replace;
}
