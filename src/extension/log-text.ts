import { printable } from '../shared/format.js';
import type { LogRecord } from '../shared/logs.js';

/** A record as the Output channel shows it: component and message on one line, its stack on indented lines below. */
export function channelText({ component, message, stack }: Pick<LogRecord, 'component' | 'message' | 'stack'>): string {
  const below = (stack ?? '').split(/\r\n|\r|\n/).filter((line) => line.trim() !== '');
  return [`${component} - ${printable(message)}`, ...below.map((line) => `    ${printable(line)}`)].join('\n');
}
