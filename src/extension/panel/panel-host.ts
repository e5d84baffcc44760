import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import * as v from 'valibot';
import { fromPanelSchema, type PanelView } from '../../shared/panel.js';
import type { RunBoard } from '../../workbench/index.js';
import { commandCategory, commandId } from '../command-table.js';
import type { Parts } from '../parts.js';
import { reportProblem } from '../problem.js';
import { actionCommands } from '../runs/action-commands.js';
import { panelHtml } from './html.js';
import { PanelRelay, type PanelRequest } from './relay.js';

const viewType = 'interpretabilityWorkbench.panel';

/** The panel: one webview in the editor area, made when it is first shown, restored after a reload. */
export class PanelHost implements vscode.Disposable {
  readonly #extension: vscode.Uri;
  readonly #listening: vscode.Disposable;
  #parts: Parts | undefined;
  #panel: vscode.WebviewPanel | undefined;
  #relay: PanelRelay | undefined;
  /** Where to go once there is a page to go there. */
  #view: PanelView | undefined;

  constructor(context: vscode.ExtensionContext) {
    this.#extension = context.extensionUri;
    this.#listening = vscode.Disposable.from(
      vscode.window.registerWebviewPanelSerializer(viewType, {
        deserializeWebviewPanel: (panel) => {
          this.#adopt(panel);
          return Promise.resolve();
        },
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        if (this.visible) this.#relay?.start();
      }),
    );
  }

  /** Gives it the rest of the extension, once that exists. */
  connect(parts: Parts): void {
    this.#parts = parts;
  }

  /** Shows the panel, at a view if one is given. */
  show(view?: PanelView): Promise<void> {
    if (this.#panel === undefined) {
      this.#adopt(vscode.window.createWebviewPanel(viewType, commandCategory, vscode.ViewColumn.Active));
    } else this.#panel.reveal();
    if (view !== undefined) {
      this.#view = view;
      this.#turn();
    }
    return Promise.resolve();
  }

  /** Whether a person can see it now. */
  get visible(): boolean {
    return this.#panel?.visible ?? false;
  }

  /** Tells the page nothing more. It stays open: a window that is reloaded restores it. */
  dispose(): void {
    this.#listening.dispose();
    this.#relay?.dispose();
  }

  #adopt(panel: vscode.WebviewPanel): void {
    this.#panel?.dispose();
    this.#panel = panel;
    panel.onDidDispose(() => {
      if (this.#panel !== panel) return;
      this.#relay?.dispose();
      this.#panel = this.#relay = undefined;
    });
    panel.onDidChangeViewState(() => {
      // A page that is shown again is loaded again, and says so.
      if (!panel.visible) this.#relay?.hide();
    });
    panel.webview.onDidReceiveMessage((message) => {
      if (this.#parts !== undefined) void this.#receive(this.#parts, panel, message);
    });
    const file = (...names: string[]) => vscode.Uri.joinPath(this.#extension, ...names);
    panel.iconPath = { light: file('media', 'panel-light.svg'), dark: file('media', 'panel-dark.svg') };
    panel.webview.options = { enableScripts: true, localResourceRoots: [file('dist')] };
    panel.webview.html = panelHtml({
      nonce: randomBytes(16).toString('base64'),
      cspSource: panel.webview.cspSource,
      script: panel.webview.asWebviewUri(file('dist', 'webview.js')).toString(),
      style: panel.webview.asWebviewUri(file('dist', 'webview.css')).toString(),
      title: panel.title,
      language: vscode.env.language,
    });
  }

  async #receive({ host }: Parts, panel: vscode.WebviewPanel, message: unknown): Promise<void> {
    const parsed = v.safeParse(fromPanelSchema, message);
    if (!parsed.success) {
      const why = v.summarize(parsed.issues);
      host.log('extension', 'WARNING', `The panel sent a message that is not understood: ${why}`);
      return;
    }
    try {
      const { board } = await host.open();
      if (this.#panel !== panel) return;
      this.#relay ??= this.#relayTo(panel.webview, board);
      this.#relay.receive(parsed.output);
      this.#turn();
    } catch (error) {
      await reportProblem(error, host.log);
    }
  }

  #relayTo(webview: vscode.Webview, board: RunBoard): PanelRelay {
    return new PanelRelay({
      board,
      trusted: () => vscode.workspace.isTrusted,
      send: (message) => void webview.postMessage(message),
      request: (request) => void runCommandOf(request),
    });
  }

  #turn(): void {
    if (this.#view === undefined || this.#relay === undefined) return;
    this.#relay.show(this.#view);
    this.#view = undefined;
  }
}

/** The commands show their problems themselves. */
function runCommandOf(request: PanelRequest): Thenable<unknown> {
  switch (request.type) {
    case 'act':
      return vscode.commands.executeCommand(commandId(actionCommands[request.action]), request.id);
    case 'train':
      return vscode.commands.executeCommand(commandId('trainSae'));
    case 'walkthrough':
      return vscode.commands.executeCommand(commandId('openWalkthrough'));
    case 'trust':
      return vscode.commands.executeCommand('workbench.trust.manage');
  }
}
