import * as vscode from 'vscode';
import { bytes } from '../../shared/format.js';
import type { RunState } from '../../shared/panel.js';
import type { RunHandler } from './actions.js';
import { folderBytes } from './folder-size.js';
import { onDesktop } from './folder.js';

/** Deletes a run's folder once the person has said so: to the trash where there is one. */
export const deleteRun: RunHandler = async (run, { board }) => {
  const toTrash = onDesktop();
  // Where nothing is kept, only the card goes.
  if (run.saved === false || (await mayDelete(run, toTrash)))
    await board.delete(run.id, toTrash ? moveToTrash : undefined);
};

async function mayDelete({ name, dir }: RunState, toTrash: boolean): Promise<boolean> {
  const size = bytes(await folderBytes(dir));
  const detail = toTrash
    ? vscode.l10n.t('The folder {0} ({1}) goes to the trash, with the SAE and its checkpoints.', dir, size)
    : vscode.l10n.t('The folder {0} ({1}) is removed for good, with the SAE and its checkpoints.', dir, size);
  const answer = toTrash ? vscode.l10n.t('Move to Trash') : vscode.l10n.t('Delete Permanently');
  const question = vscode.l10n.t('Delete the run “{0}”?', name);
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, answer)) === answer;
}

async function moveToTrash(dir: string): Promise<void> {
  await vscode.workspace.fs.delete(vscode.Uri.file(dir), { recursive: true, useTrash: true });
}
