import * as vscode from 'vscode';
import type { SaeConfig } from '../shared/config.js';
import { WorkbenchError } from '../shared/errors.js';
import { untrustedProblem } from './untrusted.js';

/**
 * Lets a trusted workspace train and evaluate anything, any other one only what ships. `runDir`: of a run that exists already.
 * @throws WorkbenchError `not_trusted`.
 */
export function assertTrusted(config: SaeConfig, runDir?: string): void {
  if (vscode.workspace.isTrusted) return;
  const problem = untrustedProblem(config, vscode.l10n.t, runDir);
  if (problem !== undefined) throw new WorkbenchError(problem);
}
