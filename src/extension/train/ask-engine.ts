import * as vscode from 'vscode';
import type { EstimateTask, HooksTask, TaskResults } from '../../shared/messages.js';
import type { Workbench } from '../workbench-host.js';

/**
 * What an engine says about a model or a training, before there is one. `signal` ends it.
 * @throws WorkbenchError what a training would fail with; CancellationError after `signal`.
 */
export async function askEngine<T extends HooksTask | EstimateTask>(
  { library, log }: Workbench,
  task: T,
  signal: AbortSignal,
): Promise<TaskResults[T['kind']]> {
  const running = library.runTask<T>(task, { log });
  if (signal.aborted) running.cancel();
  else signal.addEventListener('abort', running.cancel);
  const outcome = await running.result;
  if (outcome.status === 'completed') return outcome.result;
  throw new vscode.CancellationError();
}
