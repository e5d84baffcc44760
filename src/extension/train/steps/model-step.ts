import * as vscode from 'vscode';
import { bytes } from '../../../shared/format.js';
import { demoModel, type Answers } from '../answers.js';
import { baseOf, type FoundModel } from '../found-files.js';
import type { Step } from '../multi-step.js';
import { findModels, localPath, shownPath } from '../search.js';
import { pick, type Row, type Rows } from '../step-ui.js';
import { choose, next, type Asking } from './asking.js';
import { manageTrust, trustRow } from './trust-row.js';

type Choice = { model: string | null } | 'folder' | 'file' | 'trust';

/** Which transformer, or none. */
export function modelStep({ last }: Asking): Step<Answers> {
  return {
    name: 'model',
    applies: () => true,
    answered: ({ model }) => model !== undefined,
    ask: (answers, place) => {
      const before = answers.model === undefined ? last.model : answers.model;
      return choose<Choice>(
        () =>
          pick<Choice>({
            place,
            placeholder: vscode.l10n.t('The transformer whose activations the SAE is trained on'),
            rows: rowsOf(before, []),
            preferred: (choice) => typeof choice === 'object' && choice.model === before,
            ...(vscode.workspace.isTrusted ? { load: foundRows(before) } : {}),
          }),
        async (choice) => {
          if (choice === 'trust') return manageTrust();
          if (typeof choice === 'object') return next(answers, choice);
          const model = await browse(choice);
          return model === undefined ? undefined : next(answers, { model });
        },
      );
    },
  };
}

const foundRows =
  (before: string | null | undefined) => async (show: (rows: Rows<Choice>) => void, signal: AbortSignal) => {
    show(rowsOf(before, await findModels(signal)));
  };

function rowsOf(before: string | null | undefined, found: readonly FoundModel[]): Rows<Choice> {
  const demo: Row<Choice> = {
    label: `$(package) ${vscode.l10n.t('Demo: a small GPT-2')}`,
    description: demoModel,
    detail: vscode.l10n.t('4 layers of width 256. Comes with the extension.'),
    value: { model: demoModel },
  };
  if (!vscode.workspace.isTrusted) return [demo, trustRow()];
  const models = found.map((model) => modelRow(localPath(model), model.name, bytes(model.bytes)));
  const known = models.some(({ value }) => typeof value === 'object' && value.model === before);
  const elsewhere = typeof before === 'string' && before !== demoModel && !known;
  return [
    demo,
    ...(elsewhere ? [modelRow(before, baseOf(vscode.Uri.file(before).path), vscode.l10n.t('used last time'))] : []),
    ...models,
    { separator: '' },
    { label: `$(folder-opened) ${vscode.l10n.t('A folder with a model…')}`, value: 'folder' },
    { label: `$(file) ${vscode.l10n.t('An .onnx file…')}`, value: 'file' },
    {
      label: `$(table) ${vscode.l10n.t('None: recorded activations only')}`,
      detail: vscode.l10n.t('A .parquet file with one row per token'),
      value: { model: null },
    },
  ];
}

function modelRow(model: string, name: string, about: string): Row<Choice> {
  const { path } = vscode.Uri.file(model);
  return { label: `$(symbol-misc) ${name}`, description: about, detail: shownPath(path), value: { model } };
}

async function browse(what: 'folder' | 'file'): Promise<string | undefined> {
  const file = what === 'file';
  const chosen = await vscode.window.showOpenDialog({
    title: file ? vscode.l10n.t('An ONNX Model') : vscode.l10n.t('The Folder of an ONNX Model'),
    openLabel: vscode.l10n.t('Use This Model'),
    canSelectFiles: file,
    canSelectFolders: !file,
    ...(file ? { filters: { ONNX: ['onnx'] } } : {}),
  });
  return chosen?.[0]?.fsPath;
}
