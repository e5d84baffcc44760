import * as vscode from 'vscode';
import { printable, whole } from '../../../shared/format.js';
import { demoModel, sampleText, type Source } from '../answers.js';
import { baseOf } from '../found-files.js';

/** How what was answered is called. */

export function modelLabel(model: string | null): string {
  if (model === null) return vscode.l10n.t('none');
  return model === demoModel ? vscode.l10n.t('Demo: a small GPT-2') : nameOf(model);
}

export function sourceLabel(source: Source): string {
  if (source.kind === 'activations') return nameOf(source.file);
  const [first] = source.names;
  if (first === sampleText) return vscode.l10n.t('Sample text');
  if (source.names.length === 1 && first !== undefined) return nameOf(first);
  const files = vscode.l10n.t('{0} files', whole(source.names.length));
  return source.glob === undefined ? files : `${files} · ${printable(source.glob)}`;
}

const nameOf = (file: string) => printable(baseOf(vscode.Uri.file(file).path));
