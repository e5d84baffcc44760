/** Log components and levels of the log contract. */
export const logComponents = ['api', 'model', 'sae', 'training', 'websocket', 'engine', 'extension'] as const;
export type LogComponent = (typeof logComponents)[number];

export const logLevels = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Whether a level is that severe or more. */
export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(least);
}

export interface LogRecord {
  /** Milliseconds since 1970. */
  time: number;
  component: LogComponent;
  level: LogLevel;
  message: string;
  /** Written on indented lines below the record. */
  stack?: string;
}

/** How any part of the program writes a log line; where it goes is not its business. */
export type Log = (component: LogComponent, level: LogLevel, message: string, stack?: string) => void;
