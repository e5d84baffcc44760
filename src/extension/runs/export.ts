import { existsSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { withoutLinks } from '../markdown.js';
import type { RunHandler } from './actions.js';
import { revealFile } from './folder.js';

/** The files of an SAE in SAELens's format. */
const files = ['cfg.json', 'sae_weights.safetensors'];

/** Copies a run's SAE to a folder the person chooses, and says how to open it there. */
export const exportRun: RunHandler = async (run, { library }) => {
  const [folder] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Export “{0}” to a Folder', run.name),
      canSelectFiles: false,
      canSelectFolders: true,
      openLabel: vscode.l10n.t('Export Here'),
    })) ?? [];
  if (folder === undefined) return;
  const target = folder.fsPath;
  const there = files.filter((name) => existsSync(path.join(target, name)));
  if (there.length > 0 && !(await mayOverwrite(target, there))) return;
  await library.exportSae(run.dir, target, { overwrite: there.length > 0 });
  void tellWhere(target);
};

async function mayOverwrite(target: string, names: readonly string[]): Promise<boolean> {
  const question = vscode.l10n.t('Overwrite the SAE in {0}?', target);
  const detail = vscode.l10n.t('The folder already has {0}.', names.join(', '));
  const answer = vscode.l10n.t('Overwrite');
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, answer)) === answer;
}

async function tellWhere(target: string): Promise<void> {
  const python = `SAE.load_from_disk(${JSON.stringify(target)})`;
  const reveal = vscode.l10n.t('Show Files');
  const copy = vscode.l10n.t('Copy Python');
  const sentence = vscode.l10n.t('The SAE is in {0}. SAELens opens it: {1}', target, python);
  const chosen = await vscode.window.showInformationMessage(withoutLinks(sentence), reveal, copy);
  if (chosen === reveal) await revealFile(path.join(target, 'cfg.json'));
  if (chosen === copy) await vscode.env.clipboard.writeText(`from sae_lens import SAE\n\nsae = ${python}\n`);
}
