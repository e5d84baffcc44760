import { mkdir } from 'node:fs/promises';
import * as vscode from 'vscode';
import { inputError } from '../shared/errors.js';
import type { ApiServer } from '../workbench/index.js';
import { apiPlace } from './api-place.js';
import { commandId } from './command-table.js';
import { setContext } from './context-keys.js';
import type { Parts } from './parts.js';
import { reportProblem } from './problem.js';
import { affects, readSetting } from './settings.js';
import type { WorkbenchHost } from './workbench-host.js';

/** How long the status bar tells of what was done. */
const tellMs = 8000;

/** The local API of this window: at most one server, over the jobs and runs that the panel shows. */
export class LocalApi {
  readonly #context: vscode.ExtensionContext;
  readonly #host: WorkbenchHost;
  readonly #changed = new vscode.EventEmitter<void>();
  #server: ApiServer | undefined;
  /** What is done to the server is done one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(context: vscode.ExtensionContext, host: WorkbenchHost) {
    this.#context = context;
    this.#host = host;
  }

  /** Fires when it has started or stopped. */
  get onDidChange(): vscode.Event<void> {
    return this.#changed.event;
  }

  /** Its address while it runs. */
  get url(): string | undefined {
    return this.#server?.url;
  }

  /**
   * Starts it unless it runs, and says where it is. `quietly`: only if that is not where it was asked to be.
   * @throws WorkbenchError `not_trusted`, `port_unavailable`, or that the workbench cannot be started.
   */
  start({ quietly = false } = {}): Promise<void> {
    return this.#inTurn(async () => {
      const server = this.#server ?? (await this.#listen());
      if (!quietly || server.moved) void this.#tell(server);
    });
  }

  /** Stops it if it runs. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#server === undefined) return;
      await this.#end(this.#server);
      vscode.window.setStatusBarMessage(vscode.l10n.t('The local API is stopped.'), tellMs);
    });
  }

  /** If it runs, starts it again by the settings of now, with the token that people have already. @throws as `start`. */
  restart(): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#server;
      if (before === undefined) return;
      await this.#end(before);
      const now = await this.#listen(before.token);
      if (now.url !== before.url) void this.#tell(now);
    });
  }

  /** Copies its address with the token, or offers to start it. @throws as `start`. */
  async copyAddress(): Promise<void> {
    await this.#last;
    if (this.#server === undefined) {
      const start = vscode.l10n.t('Start and Copy');
      const sentence = vscode.l10n.t('The local API is not running.');
      if ((await vscode.window.showInformationMessage(sentence, start)) !== start) return;
      await this.start({ quietly: true });
    }
    if (this.#server === undefined) return;
    const { url, token } = this.#server;
    await vscode.env.clipboard.writeText(token === null ? url : `${url}/?token=${token}`);
    vscode.window.setStatusBarMessage(vscode.l10n.t('Copied {0} with its token.', url), tellMs);
  }

  /** Stops it for good. */
  close(): Promise<void> {
    const ended = this.#inTurn(() => this.#end(this.#server));
    this.#closed = true;
    return ended;
  }

  async #listen(token?: string | null): Promise<ApiServer> {
    if (!vscode.workspace.isTrusted) {
      const sentence = vscode.l10n.t('The local API does not run in a workspace that is not trusted.');
      throw inputError('not_trusted', sentence, vscode.l10n.t('Trust the workspace to start it.'));
    }
    const { library, jobs, board, log } = await this.#host.open();
    // An empty window's requests count from there, and it may not be there yet.
    await mkdir(this.#context.globalStorageUri.fsPath, { recursive: true });
    const { version } = this.#context.extension.packageJSON as { version: string };
    const server = await library.ApiServer.start({
      jobs,
      board,
      log,
      version,
      port: readSetting('server.port'),
      allowedOrigins: readSetting('server.allowedOrigins'),
      ...apiPlace(this.#context),
      ...(token === undefined ? {} : { token }),
    });
    this.#use(server);
    return server;
  }

  async #end(server: ApiServer | undefined): Promise<void> {
    this.#use(undefined);
    await server?.close();
  }

  #use(server: ApiServer | undefined): void {
    this.#server = server;
    setContext('serving', server !== undefined);
    this.#changed.fire();
  }

  async #tell({ url, moved }: ApiServer): Promise<void> {
    const copy = vscode.l10n.t('Copy Address with Token');
    const sentence = moved
      ? vscode.l10n.t('API at {0}: port {1} is in use.', url, readSetting('server.port'))
      : vscode.l10n.t('API at {0}', url);
    const chosen = await vscode.window.showInformationMessage(sentence, copy);
    if (chosen === copy) await vscode.commands.executeCommand(commandId('copyApiAddress'));
  }

  /** Does something once all that was asked for before is done; nothing any more when it is closed. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** Starts, stops and restarts the local API as the settings and trust in the workspace say. */
export function registerLocalApi({ api, host }: Parts): vscode.Disposable {
  const attempt = (work: () => Promise<void>) => {
    work().catch((error: unknown) => reportProblem(error, host.log));
  };
  const startIfEnabled = () => {
    if (readSetting('server.enabled') && vscode.workspace.isTrusted) attempt(() => api.start({ quietly: true }));
  };
  // Not within activate(), which VS Code waits for.
  const starting = setImmediate(startIfEnabled);
  return vscode.Disposable.from(
    new vscode.Disposable(() => {
      clearImmediate(starting);
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(startIfEnabled),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (affects(event, 'server.port', 'server.allowedOrigins')) attempt(() => api.restart());
      if (affects(event, 'server.enabled')) attempt(() => (readSetting('server.enabled') ? api.start() : api.stop()));
    }),
  );
}
