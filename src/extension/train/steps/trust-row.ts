import * as vscode from 'vscode';
import type { Move } from '../multi-step.js';
import type { Row } from '../step-ui.js';

/** Says why so little can be chosen in a workspace that is not trusted. */
export function trustRow(): Row<'trust'> {
  return {
    label: `$(shield) ${vscode.l10n.t('Other models and texts need a trusted workspace…')}`,
    detail: vscode.l10n.t('In a workspace that is not trusted, only what comes with the extension trains.'),
    value: 'trust',
  };
}

export async function manageTrust(): Promise<Move<never>> {
  await vscode.commands.executeCommand('workbench.trust.manage');
  return { to: 'end' };
}
