import * as vscode from 'vscode';
import { commandCategory } from './command-table.js';
import { registerCommands } from './commands.js';
import { registerContextKeys } from './context-keys.js';
import { registerLifecycle } from './lifecycle.js';
import { LocalApi, registerLocalApi } from './local-api.js';
import { registerNotifications } from './notifications.js';
import { PanelHost } from './panel/panel-host.js';
import { registerEvaluationDocuments } from './runs/evaluation-document.js';
import { registerRunsTree } from './runs/tree.js';
import { registerStatusBar } from './status-bar.js';
import { registerConfigFiles } from './train/config-file.js';
import { WorkbenchHost } from './workbench-host.js';

let close: (() => Promise<void>) | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const channel = vscode.window.createOutputChannel(commandCategory, { log: true });
  const panel = new PanelHost(context);
  const host = new WorkbenchHost(context, channel);
  const api = new LocalApi(context, host);
  close = () => host.close(api.close());
  const parts = { context, channel, host, panel, api };
  panel.connect(parts);
  context.subscriptions.push(
    channel,
    panel,
    registerCommands(parts),
    registerContextKeys(parts),
    registerStatusBar(parts),
    registerNotifications(parts),
    registerRunsTree(parts),
    registerEvaluationDocuments(),
    registerConfigFiles(),
    registerLifecycle(parts),
    registerLocalApi(parts),
  );
}

/** VS Code waits for it, for up to 5 s, and disposes of the subscriptions after it. */
export async function deactivate(): Promise<void> {
  await close?.();
}
