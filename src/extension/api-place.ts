import { availableParallelism } from 'node:os';
import type * as vscode from 'vscode';
import type { ApiServerOptions } from '../workbench/index.js';
import { ownRunsFolders, workspaceRoots } from './runs-folders.js';
import { readSetting } from './settings.js';
import { engineThreads } from './train/threads.js';

type Place = Pick<ApiServerOptions, 'root' | 'runsFolder' | 'folders' | 'defaults'>;

/** What requests to the local API of this window may name, where their runs go, and what those that name nothing train on. */
export function apiPlace(context: vscode.ExtensionContext): Place {
  const first = workspaceRoots()[0]?.uri;
  return {
    root: first?.fsPath ?? context.globalStorageUri.fsPath,
    runsFolder: () => ownRunsFolders(context)[0]!,
    folders: () => [
      ...workspaceRoots()
        .slice(1)
        .map(({ uri }) => uri.fsPath),
      ...readSetting('server.folders'),
    ],
    defaults: () => ({
      model: readSetting('server.model', first),
      text: [...readSetting('server.text', first)],
      threads: engineThreads(readSetting('engine.threads', first), availableParallelism()),
    }),
  };
}
