import * as vscode from 'vscode';
import { bytes } from '../../../shared/format.js';
import { sampleText, type Answers, type Source } from '../answers.js';
import { baseOf, type FoundFile } from '../found-files.js';
import type { Step } from '../multi-step.js';
import { findRecordings, localPath, shownPath } from '../search.js';
import { pick, type Row, type Rows } from '../step-ui.js';
import { answered, choose, next, type Asking } from './asking.js';
import { askGlob } from './glob-question.js';
import { sourceLabel } from './labels.js';
import { manageTrust, trustRow } from './trust-row.js';

type Choice = Source | 'glob' | 'files' | 'folder' | 'recording' | 'trust';

/** The text that is read, or activations recorded before. */
export function sourceStep({ last }: Asking): Step<Answers> {
  return {
    name: 'source',
    applies: () => true,
    answered: ({ source }) => source !== undefined,
    ask: (answers, place) => {
      const recordedOnly = answers.model === null;
      const before = [answers.source, last.source].find(
        (source) => source && (!recordedOnly || source.kind === 'activations'),
      );
      const list = () =>
        pick<Choice>({
          place,
          placeholder: recordedOnly
            ? vscode.l10n.t('Recorded activations: a .parquet file with one row per token')
            : vscode.l10n.t('The text that the model reads, or recorded activations'),
          rows: rowsOf(recordedOnly, before, []),
          preferred: (choice) => choice === before,
          ...(vscode.workspace.isTrusted
            ? {
                load: async (show, signal) => {
                  show(rowsOf(recordedOnly, before, await findRecordings(signal)));
                },
              }
            : {}),
        });
      return choose<Choice>(list, async (choice) => {
        if (choice === 'trust') return manageTrust();
        if (choice === 'glob') {
          const glob = before?.kind === 'text' ? before.glob : undefined;
          return answered(await askGlob(place, glob), answers, (source) => ({ source }));
        }
        const source = typeof choice === 'object' ? choice : await browse(choice);
        return source && next(answers, { source });
      });
    },
  };
}

function rowsOf(recordedOnly: boolean, before: Source | undefined, found: readonly FoundFile[]): Rows<Choice> {
  const sample: Row<Choice> = {
    label: `$(package) ${vscode.l10n.t('Sample text')}`,
    description: sampleText,
    detail: vscode.l10n.t('English text of several kinds. Comes with the extension.'),
    value: { kind: 'text', names: [sampleText] },
  };
  if (!vscode.workspace.isTrusted) return [sample, trustRow()];
  const isSample = before?.kind === 'text' && before.names.join() === sampleText;
  const again: Row<Choice>[] =
    before && !isSample
      ? [{ label: `$(history) ${sourceLabel(before)}`, description: vscode.l10n.t('used last time'), value: before }]
      : [];
  const text: Rows<Choice> = [
    isSample ? { ...sample, value: before } : sample,
    { label: `$(search) ${vscode.l10n.t('Files of the workspace…')}`, value: 'glob' },
    { label: `$(files) ${vscode.l10n.t('Other files…')}`, value: 'files' },
    { label: `$(folder-opened) ${vscode.l10n.t('A folder…')}`, value: 'folder' },
    { separator: vscode.l10n.t('Recorded activations') },
  ];
  return [
    ...again,
    ...(recordedOnly ? [] : text),
    ...found.map(recordingRow),
    { label: `$(table) ${vscode.l10n.t('A .parquet file…')}`, value: 'recording' },
  ];
}

function recordingRow(file: FoundFile): Row<Choice> {
  return {
    label: `$(table) ${baseOf(file.path)}`,
    description: bytes(file.bytes),
    detail: shownPath(file.path),
    value: { kind: 'activations', file: localPath(file) },
  };
}

async function browse(what: 'files' | 'folder' | 'recording'): Promise<Source | undefined> {
  const options: Record<typeof what, vscode.OpenDialogOptions> = {
    files: {
      title: vscode.l10n.t('Text to Train On'),
      canSelectMany: true,
      filters: { [vscode.l10n.t('Text')]: ['txt', 'md', 'jsonl'], [vscode.l10n.t('All files')]: ['*'] },
    },
    folder: { title: vscode.l10n.t('A Folder of Text'), canSelectFiles: false, canSelectFolders: true },
    recording: { title: vscode.l10n.t('Recorded Activations'), filters: { Parquet: ['parquet'] } },
  };
  const chosen = await vscode.window.showOpenDialog({ openLabel: vscode.l10n.t('Train on This'), ...options[what] });
  const [first] = chosen ?? [];
  if (!chosen || !first) return undefined;
  if (what === 'recording') return { kind: 'activations', file: first.fsPath };
  return { kind: 'text', names: chosen.map(({ fsPath }) => fsPath) };
}
