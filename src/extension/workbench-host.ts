import * as vscode from 'vscode';
import { failure, toProblem } from '../shared/errors.js';
import type { Log } from '../shared/logs.js';
import type * as library from '../workbench/index.js';
import { EditorLogs } from './logs.js';
import { OutsideRuns } from './outside-runs.js';
import { showRecord } from './output-channel.js';
import { chooseRunsFolder, watchedRunsFolders } from './runs-folders.js';
import { onSettingChange, readSetting } from './settings.js';

/** The workbench once it is loaded: `library` is dist/workbench.js. */
export interface Workbench {
  library: typeof library;
  jobs: library.JobManager;
  board: library.RunBoard;
  /** Those of this moment: another log folder in the settings replaces them. */
  readonly logs: library.Logs;
  log: Log;
}

/** VS Code gives an extension 5 s to close. Engines that are slower write their checkpoint when they lose their channel. */
const closeMs = 4000;

/** Loads the workbench when it is first needed and closes it with the window. */
export class WorkbenchHost {
  readonly #context: vscode.ExtensionContext;
  readonly #channel: vscode.LogOutputChannel;
  readonly #opened = new vscode.EventEmitter<Workbench>();
  #opening: Promise<Workbench> | undefined;
  #current: Workbench | undefined;
  #closed = false;
  #dispose: ((users: Promise<void>) => Promise<void>) | undefined;

  constructor(context: vscode.ExtensionContext, channel: vscode.LogOutputChannel) {
    this.#context = context;
    this.#channel = channel;
  }

  /** Fires once, when the workbench is open. */
  get onDidOpen(): vscode.Event<Workbench> {
    return this.#opened.event;
  }

  /** The workbench if it is open already. */
  get current(): Workbench | undefined {
    return this.#current;
  }

  /** Logs to the Output channel, and to the files too once the workbench is open. */
  readonly log: Log = (component, level, message, stack) => {
    if (this.#current) this.#current.log(component, level, message, stack);
    else
      showRecord(this.#channel, {
        time: Date.now(),
        component,
        level,
        message,
        ...(stack === undefined ? {} : { stack }),
      });
  };

  /**
   * The workbench, loaded and looking at the runs folders; the same one every time.
   * @throws WorkbenchError `internal` if it cannot be started; the next call tries again.
   */
  async open(): Promise<Workbench> {
    this.#opening ??= this.#start().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Where the runs of a configuration file (or of the window) go now; undefined if the person was asked and did not say. */
  async runsFolder(near?: vscode.Uri): Promise<string | undefined> {
    return chooseRunsFolder(this.#context, near);
  }

  /** Stops every job with a checkpoint and writes the last log lines, also those of `users`, who close at the same time. */
  async close(users: Promise<void>): Promise<void> {
    this.#closed = true;
    await this.#opening?.catch(() => undefined);
    await this.#dispose?.(users);
    this.#opened.dispose();
  }

  async #start(): Promise<Workbench> {
    try {
      this.#current = await this.#load();
    } catch (error) {
      await this.#dispose?.(Promise.resolve());
      const sentence = vscode.l10n.t('The workbench could not be started: {0}', toProblem(error).message);
      const hint = vscode.l10n.t('Reload the window; if that does not help, install the extension again.');
      throw failure('internal', sentence, hint, { cause: error });
    }
    if (!this.#closed) this.#opened.fire(this.#current);
    return this.#current;
  }

  async #load(): Promise<Workbench> {
    const loaded = await import('../workbench/index.js');
    const logs = new EditorLogs(loaded, this.#context, this.#channel);
    const { log } = logs;
    const jobs = new loaded.JobManager({ log, ...limits() });
    const folders = () => watchedRunsFolders(this.#context);
    const outside = new OutsideRuns(this.#context.workspaceState);
    jobs.subscribe((event, { runDir }) => {
      if (event.type === 'training_progress' && event.status === 'queued') void outside.add(runDir, folders());
    });
    const board = new loaded.RunBoard({ jobs, folders, alone: () => outside.list(), log });
    const listeners = this.#followSettings(jobs, board);
    this.#dispose = async (users) => {
      listeners.dispose();
      const closed = Promise.allSettled([jobs.dispose(), users]);
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, closeMs).unref())]);
      board.dispose();
      await logs.close();
    };
    const { version } = this.#context.extension.packageJSON as { version: string };
    log(
      'extension',
      'INFO',
      `Workbench ${version} in VS Code ${vscode.version} on ${process.platform}-${process.arch}`,
    );
    await board.refresh();
    return {
      library: loaded,
      jobs,
      board,
      get logs() {
        return logs.current;
      },
      log,
    };
  }

  #followSettings(jobs: library.JobManager, board: library.RunBoard): vscode.Disposable {
    const configure = () => {
      jobs.configure(limits());
    };
    const look = () => void board.refresh();
    return vscode.Disposable.from(
      onSettingChange('jobs.concurrency', configure),
      onSettingChange('engine.memoryLimit', configure),
      onSettingChange('runsFolder', look),
      vscode.workspace.onDidChangeWorkspaceFolders(look),
      vscode.workspace.onDidGrantWorkspaceTrust(look),
    );
  }
}

const limits = () => ({
  concurrency: readSetting('jobs.concurrency'),
  memoryLimitBytes: readSetting('engine.memoryLimit') * 1e9,
});
