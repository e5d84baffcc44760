import type * as vscode from 'vscode';
import type { LocalApi } from './local-api.js';
import type { PanelHost } from './panel/panel-host.js';
import type { WorkbenchHost } from './workbench-host.js';

/** What every part of the extension is given. */
export interface Parts {
  context: vscode.ExtensionContext;
  channel: vscode.LogOutputChannel;
  host: WorkbenchHost;
  panel: PanelHost;
  api: LocalApi;
}
