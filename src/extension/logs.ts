import path from 'node:path';
import * as vscode from 'vscode';
import { logComponents, type Log } from '../shared/logs.js';
import type * as library from '../workbench/index.js';
import { showRecord } from './output-channel.js';
import { onSettingChange, readSetting } from './settings.js';

/** The log files and the Output channel of this window, as the settings have them now. */
export class EditorLogs implements vscode.Disposable {
  readonly #library: typeof library;
  readonly #context: vscode.ExtensionContext;
  readonly #channel: vscode.LogOutputChannel;
  readonly #listeners: vscode.Disposable;
  #logs: library.Logs;

  constructor(loaded: typeof library, context: vscode.ExtensionContext, channel: vscode.LogOutputChannel) {
    this.#library = loaded;
    this.#context = context;
    this.#channel = channel;
    this.#logs = this.#open();
    this.#listeners = vscode.Disposable.from(
      onSettingChange('logging.directory', () => {
        this.#move();
      }),
      onSettingChange('logging.levels', () => {
        this.#setLevels();
      }),
    );
  }

  get current(): library.Logs {
    return this.#logs;
  }

  readonly log: Log = (component, level, message, stack) => {
    this.#logs.log(component, level, message, stack);
  };

  /** Writes the last lines and gives the log folder back. */
  async close(): Promise<void> {
    this.dispose();
    await this.#logs.close();
  }

  dispose(): void {
    this.#listeners.dispose();
  }

  #open(): library.Logs {
    const chosen = readSetting('logging.directory');
    const usable = path.isAbsolute(chosen);
    const storage = this.#context.storageUri ?? this.#context.globalStorageUri;
    const logs = new this.#library.Logs({
      folder: usable ? chosen : path.join(storage.fsPath, 'logs'),
      levels: readSetting('logging.levels'),
      sinks: [
        {
          level: 'DEBUG',
          write: (_line, record) => {
            showRecord(this.#channel, record);
          },
        },
      ],
    });
    if (chosen !== '' && !usable) {
      logs.log('extension', 'WARNING', `The log folder ${chosen} is not an absolute path: the default is used.`);
    }
    return logs;
  }

  #move(): void {
    const before = this.#logs;
    before.log('extension', 'INFO', 'The settings name another log folder: logging goes on there.');
    this.#logs = this.#open();
    void before.close();
  }

  #setLevels(): void {
    const levels = readSetting('logging.levels');
    for (const component of logComponents) this.#logs.setLevel(component, levels[component] ?? 'DEBUG');
  }
}
