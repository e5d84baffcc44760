import * as vscode from 'vscode';
import { settingsSection } from '../shared/settings.js';
import { contextKeys, type ContextKey } from './command-table.js';
import type { Parts } from './parts.js';
import { contextOfRuns } from './run-context.js';
import { watchBoard } from './watch-board.js';

const everyMs = 100;

/** Keeps the context keys that menus and the palette go by. */
export function registerContextKeys({ host }: Parts): vscode.Disposable {
  const told = new Map<ContextKey, boolean>();
  return watchBoard(host, everyMs, (runs) => {
    const now = contextOfRuns(runs);
    for (const key of contextKeys) {
      if (told.get(key) === now[key]) continue;
      told.set(key, now[key]);
      void vscode.commands.executeCommand('setContext', `${settingsSection}.${key}`, now[key]);
    }
  });
}
