import { inputError } from '../../shared/errors.js';
import { logComponents, logLevels, type LogComponent, type LogLevel } from '../../shared/logs.js';
import { followLogs } from '../../workbench/logging/follow.js';
import { LogReader } from '../../workbench/logging/log-reader.js';
import { lastOf } from '../../workbench/logging/merge.js';
import type { RecordFilter, StoredRecord } from '../../workbench/logging/read-records.js';
import { exitCodes } from '../exit.js';
import { Output } from '../output.js';
import { jsonRecord, paintedRecord, plainRecord } from '../terminal/log-record.js';
import { paintFor } from '../terminal/paint.js';

export interface LogsOptions {
  dir: string[];
  follow?: boolean;
  component?: string[];
  level?: string;
  since?: string;
  json?: boolean;
  lines?: string;
}

const newestByDefault = 50;
const batchCharacters = 64 * 1024;

/** `iw logs` */
export async function logs(options: LogsOptions): Promise<number> {
  const count = options.lines === undefined ? undefined : countOf(options.lines);
  const filter = filterOf(options, Date.now());
  const output = new Output(process.stdout);
  const print = printer(options, output);
  const reader = await LogReader.open({ folders: options.dir, filter, follow: options.follow === true });
  try {
    if (filter.since === undefined) await print(await reader.newest(count ?? newestByDefault));
    else await print(count === undefined ? reader.all() : await lastOf(reader.all(), count));
    if (options.follow) for await (const records of followLogs(reader, output.signal)) await print(records);
  } finally {
    await reader.close();
  }
  return exitCodes.done;
}

/** Prints records as they come, many at a time. */
function printer({ json }: LogsOptions, output: Output) {
  const paint = paintFor(process.stdout);
  const onTerminal = (record: StoredRecord) => paintedRecord(record, paint);
  const format = json ? jsonRecord : process.stdout.isTTY ? onTerminal : plainRecord;
  return async (records: AsyncIterable<StoredRecord> | Iterable<StoredRecord>) => {
    let text = '';
    for await (const record of records) {
      text += format(record);
      if (text.length < batchCharacters) continue;
      await output.write(text);
      text = '';
      if (output.signal.aborted) return;
    }
    if (text !== '') await output.write(text);
  };
}

function filterOf({ component, level, since }: LogsOptions, now: number): RecordFilter {
  return {
    ...(component && { components: component.map(componentOf) }),
    ...(level === undefined ? {} : { level: levelOf(level) }),
    ...(since === undefined ? {} : { since: parseSince(since, now) }),
  };
}

function componentOf(given: string): LogComponent {
  const component = logComponents.find((each) => each === given.toLowerCase());
  if (component !== undefined) return component;
  const hint = `Components are ${logComponents.join(', ')}.`;
  throw inputError('config_invalid', `--component is "${given}", expected a component.`, hint);
}

function levelOf(given: string): LogLevel {
  const level = logLevels.find((each) => each === given.toUpperCase());
  if (level !== undefined) return level;
  throw inputError('config_invalid', `--level is "${given}", expected a level.`, `Levels are ${logLevels.join(', ')}.`);
}

function countOf(given: string): number {
  const count = Number(given);
  if (Number.isInteger(count) && count >= 0 && given.trim() !== '') return count;
  throw inputError('config_invalid', `--lines is "${given}", expected a whole number.`, 'For example: --lines 100');
}

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A span before now (90s, 30m, 1h, 2d) or a time (ISO 8601, or as the log writes it; local where it names no zone), in
 * milliseconds since 1970.
 * @throws WorkbenchError `config_invalid`.
 */
export function parseSince(given: string, now: number): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([smhd])$/.exec(given.trim()) ?? [];
  if (number !== undefined) return now - Number(number) * units[unit as keyof typeof units];
  const [, day, clock, zone = ''] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?(Z|[+-]\d\d:?\d\d)?$/.exec(given.trim()) ?? [];
  const time = day === undefined ? NaN : new Date(`${day}T${clock ?? '00:00'}${zone}`).getTime();
  if (!Number.isNaN(time)) return time;
  const sentence = `--since is "${given}", expected a span or a time.`;
  throw inputError('config_invalid', sentence, 'For example: --since 30m, 1h, 2d, or "2024-01-15 10:30"');
}
