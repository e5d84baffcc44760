import * as vscode from 'vscode';
import { settingsSection } from '../shared/settings.js';
import { runContextKeys, type ContextKey, type RunContextKey } from './command-table.js';
import type { Parts } from './parts.js';
import { contextOfRuns } from './run-context.js';
import { watchBoard } from './watch-board.js';

const everyMs = 100;

/** Sets a key that menus and the palette go by. */
export function setContext(key: ContextKey, value: boolean): void {
  void vscode.commands.executeCommand('setContext', `${settingsSection}.${key}`, value);
}

/** Keeps the context keys of runs up to date. */
export function registerContextKeys({ host }: Parts): vscode.Disposable {
  const told = new Map<RunContextKey, boolean>();
  return watchBoard(host, everyMs, (runs) => {
    const now = contextOfRuns(runs);
    for (const key of runContextKeys) {
      if (told.get(key) === now[key]) continue;
      told.set(key, now[key]);
      setContext(key, now[key]);
    }
  });
}
