import * as vscode from 'vscode';
import { toProblem } from '../shared/errors.js';
import type { Log } from '../shared/logs.js';
import { commandId } from './command-table.js';
import { withoutLinks } from './markdown.js';

/** Logs what went wrong and tells the person: what it is, what to do, and where to read more. */
export async function reportProblem(error: unknown, log: Log): Promise<void> {
  if (error instanceof vscode.CancellationError) return;
  const problem = toProblem(error);
  const stack = problem.code === 'internal' ? stackOf(error) : undefined;
  const sentences = `${problem.message} ${problem.hint}`;
  log('extension', problem.input ? 'WARNING' : 'ERROR', sentences, stack);
  const showLogs = vscode.l10n.t('Show Logs');
  const manageTrust = vscode.l10n.t('Manage Workspace Trust');
  const actions = problem.code === 'not_trusted' ? [manageTrust] : [showLogs];
  const chosen = await vscode.window.showErrorMessage(withoutLinks(sentences), ...actions);
  if (chosen === showLogs) await vscode.commands.executeCommand(commandId('showLogs'));
  if (chosen === manageTrust) await vscode.commands.executeCommand('workbench.trust.manage');
}

/** Where an error nobody expected comes from, with what caused it. */
function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const cause = stackOf(error.cause);
  return `${error.stack ?? error.message}${cause === undefined ? '' : `\nCaused by ${cause}`}`;
}
