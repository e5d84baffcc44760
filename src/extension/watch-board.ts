import * as vscode from 'vscode';
import type { RunState } from '../shared/panel.js';
import { Coalescer } from './coalescer.js';
import type { WorkbenchHost } from './workbench-host.js';

/** Calls the listener with all runs once the workbench is open and after changes, at most every `everyMs` milliseconds. */
export function watchBoard(
  host: WorkbenchHost,
  everyMs: number,
  listener: (runs: readonly RunState[]) => void,
): vscode.Disposable {
  let stop: (() => void) | undefined;
  const opened = host.onDidOpen(({ board }) => {
    const changes = new Coalescer(
      () => {
        listener(board.list());
      },
      { everyMs, aheadMs: 0 },
    );
    const unsubscribe = board.subscribe(() => {
      changes.push('runs', undefined);
    });
    stop = () => {
      unsubscribe();
      changes.clear();
    };
    listener(board.list());
  });
  return new vscode.Disposable(() => {
    opened.dispose();
    stop?.();
  });
}
