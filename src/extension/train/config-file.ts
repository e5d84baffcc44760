import * as vscode from 'vscode';
import { inputError, toProblem } from '../../shared/errors.js';
import { commandId } from '../command-table.js';
import type { Parts } from '../parts.js';
import { keyRange } from './key-range.js';
import { startTraining } from './start.js';

/**
 * Trains a `*.sae.json`: the one given, else the one in the active editor. Saves it first. Returns the job's id; undefined if
 * it was not saved, or the person did not say where the run should go.
 * @throws WorkbenchError what is wrong with the file, whose place is then selected, or what `startTraining` throws.
 */
export async function trainFile(parts: Parts, file?: vscode.Uri): Promise<string | undefined> {
  const uri = file ?? vscode.window.activeTextEditor?.document.uri;
  if (uri?.scheme !== 'file' || !uri.path.endsWith('.sae.json')) {
    const sentence = vscode.l10n.t('There is no *.sae.json file in the active editor.');
    throw inputError('config_invalid', sentence, vscode.l10n.t('Open one, or use the command Train SAE.'));
  }
  const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri.toString());
  if (document?.isDirty && !(await document.save())) return undefined;
  const { library } = await parts.host.open();
  try {
    const config = await library.readConfigFile(uri.fsPath);
    const hint = vscode.l10n.t('Add "layer_idx", the number of a layer, or "hook_name".');
    return await startTraining(parts, library.withDefaultSource(config, hint), uri);
  } catch (error) {
    const { code, field } = toProblem(error);
    if (code === 'config_invalid') await reveal(uri, field);
    throw error;
  }
}

/** The CodeLens "Train SAE" on `*.sae.json` files. */
export function registerConfigFiles(): vscode.Disposable {
  return vscode.languages.registerCodeLensProvider(
    { scheme: 'file', pattern: '**/*.sae.json' },
    {
      provideCodeLenses: ({ uri }) => {
        const command = { title: `$(play) ${vscode.l10n.t('Train SAE')}`, command: commandId('trainFile') };
        return [new vscode.CodeLens(new vscode.Range(0, 0, 0, 0), { ...command, arguments: [uri] })];
      },
    },
  );
}

/** Selects the key that is wrong; where it is no key, the first place that the JSON language finds fault with. */
async function reveal(uri: vscode.Uri, key: string | undefined): Promise<void> {
  const editor = await vscode.window.showTextDocument(uri);
  const { document } = editor;
  const found = key === undefined ? undefined : keyRange(document.getText(), key);
  const range = found
    ? new vscode.Range(document.positionAt(found.start), document.positionAt(found.end))
    : vscode.languages.getDiagnostics(uri)[0]?.range;
  if (range === undefined) return;
  editor.selection = new vscode.Selection(range.start, range.end);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
