import * as vscode from 'vscode';
import type { Evaluation } from '../../shared/messages.js';
import type { RunState } from '../../shared/panel.js';
import { evaluationText } from './evaluation-text.js';

const scheme = 'interpretability-workbench-evaluation';

/** Serves evaluations as read-only documents. The text is in the address, so that a reloaded window has it still. */
export function registerEvaluationDocuments(): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(scheme, {
    provideTextDocumentContent: ({ query }) => query,
  });
}

/** Shows an evaluation as a Markdown preview, or as its source where VS Code's Markdown support is switched off. */
export async function showEvaluation(run: RunState, evaluation: Evaluation): Promise<void> {
  const name = vscode.l10n.t('Evaluation of {0}', run.name).replace(/[\\/]/g, '-');
  const document = vscode.Uri.from({
    scheme,
    path: `/${name}.md`,
    query: evaluationText(run, evaluation, vscode.l10n.t),
  });
  if (vscode.extensions.getExtension('vscode.markdown-language-features') === undefined) {
    await vscode.window.showTextDocument(document);
  } else await vscode.commands.executeCommand('markdown.showPreview', document);
}
