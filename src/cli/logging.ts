import path from 'node:path';
import type { Log } from '../shared/logs.js';
import { Logs, type LogsOptions } from '../workbench/logging/logs.js';
import type { Display } from './terminal/display.js';

export interface Logging {
  log: Log;
  /** Shows no more records beside the progress: what comes now, the command tells in its own words. */
  mute: () => void;
  /** Writes everything and gives the log folder back. */
  close: () => Promise<void>;
}

/**
 * Logs to `logs/` in the current folder, and what a person should see at once to the display. `levels`: the least of each
 * component; DEBUG where not given.
 */
export function openLogging(display: Display, levels: LogsOptions['levels'] = {}): Logging {
  const logs = new Logs({ folder: path.resolve('logs'), levels });
  const write = (line: string) => {
    display.line(line.trimEnd());
  };
  return { log: logs.log, mute: logs.addSink({ level: display.consoleLevel, write }), close: () => logs.close() };
}
