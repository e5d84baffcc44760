import * as vscode from 'vscode';
import { bytes, whole } from '../../../shared/format.js';
import type { Source } from '../answers.js';
import { baseOf, total, type FoundFile } from '../found-files.js';
import type { Place } from '../multi-step.js';
import { findTexts, localPath, shownPath } from '../search.js';
import { pick, type Reply, type Rows } from '../step-ui.js';

const usualGlob = '**/*.{txt,md,jsonl}';
/** Files shown by name; of the others the number is enough. */
const shown = 50;

/** Which files of the workspace, by a pattern; says while it is typed how many there are. */
export function askGlob(place: Place, before = usualGlob): Promise<Reply<Source>> {
  return pick<Source>({
    place,
    placeholder: vscode.l10n.t('A pattern such as {0}, or {1}', usualGlob, 'docs/**'),
    typed: before,
    load: async (show, signal, typed) => {
      const glob = typed.trim();
      if (glob === '') show([]);
      else show(rowsOf(glob, await findTexts(glob, signal)));
    },
  });
}

function rowsOf(glob: string, { files, more }: { files: FoundFile[]; more: boolean }): Rows<Source> {
  if (files.length === 0) return [{ note: vscode.l10n.t('No file of the workspace matches.') }];
  const source: Source = { kind: 'text', names: files.map(localPath), glob };
  const size = bytes(total(files));
  const label = more
    ? vscode.l10n.t('Use the first {0} files, {1}', whole(files.length), size)
    : files.length === 1
      ? vscode.l10n.t('Use 1 file, {0}', size)
      : vscode.l10n.t('Use {0} files, {1}', whole(files.length), size);
  const detail = more
    ? vscode.l10n.t('More match than can be named one by one: choose their folder instead.')
    : undefined;
  return [
    { label: `$(check) ${label}`, ...(detail === undefined ? {} : { detail }), value: source },
    { separator: vscode.l10n.t('Or one of them') },
    ...files.slice(0, shown).map((file) => ({
      label: baseOf(file.path),
      description: bytes(file.bytes),
      detail: shownPath(file.path),
      value: { kind: 'text', names: [localPath(file)] } satisfies Source,
    })),
  ];
}
