import type * as vscode from 'vscode';
import type { LogLevel, LogRecord } from '../shared/logs.js';
import { channelText } from './log-text.js';

const methods = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const satisfies Record<
  LogLevel,
  keyof vscode.LogOutputChannel
>;

/** Shows a record in the Output channel, which keeps time and level itself and shows the levels a person chose there. */
export function showRecord(channel: vscode.LogOutputChannel, record: LogRecord): void {
  channel[methods[record.level]](channelText(record));
}
