import { printable } from '../../shared/format.js';
import type { LogLevel } from '../../shared/logs.js';
import type { StoredRecord } from '../../workbench/logging/read-records.js';
import { shortest } from '../invocation.js';
import type { Paint } from './paint.js';

const colours = { ERROR: 'red', WARNING: 'yellow', INFO: 'green', DEBUG: 'dim' } as const satisfies Record<
  LogLevel,
  keyof Paint
>;

/** A record as it stands in its file. */
export function plainRecord({ text }: StoredRecord): string {
  return `${text}\n`;
}

/** A record for a terminal: its level in colour, its time and stack dim; escape sequences of foreign lines take no effect. */
export function paintedRecord({ record, text }: StoredRecord, paint: Paint): string {
  const [first = '', ...below] = text.split('\n').map((line) => printable(line));
  const level = record && ` - ${record.level} - `;
  const at = level === null ? -1 : first.indexOf(level);
  if (record === null || at < 0) return `${[first, ...below].map((line) => paint.dim(line)).join('\n')}\n`;
  const [time, component] = [first.slice(0, 19), first.slice(19, at)];
  const message = first.slice(at + record.level.length + 6);
  const head = `${paint.dim(time)}${component} - ${paint[colours[record.level]](record.level)} - ${message}`;
  return `${[head, ...below.map((line) => paint.dim(line))].join('\n')}\n`;
}

/** A record as one line of JSON: `{time, component, level, message, stack?, file}`. */
export function jsonRecord({ record, text, file }: StoredRecord): string {
  const { time, component = null, level = null, message = text, stack } = record ?? { time: null };
  return `${JSON.stringify({
    time: time === null ? null : new Date(time).toISOString(),
    ...{ component, level, message, stack },
    file: shortest(file),
  })}\n`;
}
