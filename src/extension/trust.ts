import * as vscode from 'vscode';
import type { SaeConfig } from '../shared/config.js';
import { WorkbenchError } from '../shared/errors.js';
import { untrustedProblem, type ExistingRun } from './untrusted.js';

/**
 * Lets a trusted workspace train and evaluate anything, any other one only what ships. `run`: the one that goes on.
 * @throws WorkbenchError `not_trusted`.
 */
export function assertTrusted(config: SaeConfig, run?: ExistingRun): void {
  if (vscode.workspace.isTrusted) return;
  const problem = untrustedProblem(config, vscode.l10n.t, run);
  if (problem !== undefined) throw new WorkbenchError(problem);
}
