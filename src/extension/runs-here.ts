import * as vscode from 'vscode';
import { isActive, type RunState } from '../shared/panel.js';
import type { WorkbenchHost } from './workbench-host.js';

/** Calls the listener when a run begins to be trained by this window, and once when that has ended. */
export function onRunsHere(
  host: WorkbenchHost,
  listener: (run: RunState, now: 'begins' | 'ended') => void,
): vscode.Disposable {
  const here = new Set<string>();
  let unsubscribe: (() => void) | undefined;
  const opened = host.onDidOpen(({ board }) => {
    unsubscribe = board.subscribe((change) => {
      if (change.type !== 'run') return;
      const { run } = change;
      if (run.owner === 'here' && isActive(run)) {
        if (!here.has(run.id)) listener(run, 'begins');
        here.add(run.id);
      } else if (here.delete(run.id)) listener(run, 'ended');
    });
  });
  return new vscode.Disposable(() => {
    opened.dispose();
    unsubscribe?.();
  });
}
