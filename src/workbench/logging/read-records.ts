import {
  isAtLeast,
  logComponents,
  logLevels,
  type LogComponent,
  type LogLevel,
  type LogRecord,
} from '../../shared/logs.js';
import { formatTime, stackIndent } from './format.js';

/** A record as it was read back from a log file. */
export interface StoredRecord {
  /** Its parts, the time exact to the second; null where lines stand that no record is above: another program's, or a cut file's. */
  record: LogRecord | null;
  /** Its lines as they stand in the file, without the last line break. */
  text: string;
  /** The file, under the name that it had when it was opened. */
  file: string;
}

/** Which records are wanted; what is not given is not looked at. */
export interface RecordFilter {
  components?: readonly LogComponent[];
  /** The least level. */
  level?: LogLevel;
  /** Milliseconds since 1970. */
  since?: number;
}

/** Whether a record is wanted. Lines that belong to no record are, unless something is asked of records. */
export function isWanted({ record }: StoredRecord, { components, level, since }: RecordFilter): boolean {
  if (record === null) return components === undefined && level === undefined && since === undefined;
  if (components !== undefined && !components.includes(record.component)) return false;
  if (level !== undefined && !isAtLeast(record.level, level)) return false;
  // Records tell no parts of a second.
  return since === undefined || record.time >= Math.floor(since / 1000) * 1000;
}

const header = new RegExp(
  `^(\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d) - (${logComponents.join('|')}) - (${logLevels.join('|')}) - (.*?)\\r?$`,
  's',
);
/** More characters than this below a record are handed on in several pieces: foreign lines may go on for ever. */
const longest = 1024 * 1024;
const minute = 60_000;

/**
 * Milliseconds since 1970 of a local time. When summer time ends, an hour comes twice (half an hour on Lord Howe Island):
 * the time is then the second one if the first would be before `earliest`.
 */
export function parseTime(text: string, earliest = -Infinity): number {
  const [year = 0, month = 1, day = 1, hour = 0, minutes = 0, seconds = 0] = text.split(/[- :]/).map(Number);
  const first = new Date(year, month - 1, day, hour, minutes, seconds).getTime();
  if (first >= earliest) return first;
  const repeated = [30 * minute, 60 * minute].map((shift) => first + shift);
  return repeated.find((time) => time >= earliest && formatTime(time) === text) ?? first;
}

interface Reading {
  record: LogRecord | null;
  /** The line that began it; undefined if that was handed on already. */
  first: string | undefined;
  below: string[];
  length: number;
  file: string;
}

/**
 * Puts the lines of a log together to records. A line that begins no record belongs to the one before it: of a stack, or of
 * what another program or a killed process left. What belongs to a record that was handed on already (it was too long, or its
 * writer was slow) comes as one more record of the same time, component and level, with `…` for a message.
 */
export class RecordParser {
  #reading: Reading | undefined;
  #newest: LogRecord | null = null;
  #second = '';

  /** Takes the next line. Returns the record before it if the line shows that to be complete. */
  add(line: string, file: string): StoredRecord | undefined {
    const [, second, component, level, message = ''] = header.exec(line) ?? [];
    if (second === undefined) return this.#addBelow(line, file);
    const complete = this.end();
    const earlier = this.#newest?.time;
    // Many records have the second of the one before.
    const time = second === this.#second && earlier !== undefined ? earlier : parseTime(second, earlier);
    this.#second = second;
    this.#newest = { time, component: component as LogComponent, level: level as LogLevel, message };
    this.#reading = { record: this.#newest, first: line, below: [], length: line.length, file };
    return complete;
  }

  /** The record whose end has not been seen, if there is one; no more lines are expected for it. */
  end(): StoredRecord | undefined {
    const reading = this.#reading;
    this.#reading = undefined;
    if (reading === undefined) return undefined;
    const { record, first, below, file } = reading;
    const stack = below.map((line) => (line.startsWith(stackIndent) ? line.slice(stackIndent.length) : line));
    return {
      record: record === null || below.length === 0 ? record : { ...record, stack: stack.join('\n') },
      text: (first === undefined ? below : [first, ...below]).join('\n'),
      file,
    };
  }

  #addBelow(line: string, file: string): StoredRecord | undefined {
    const complete = this.#reading !== undefined && this.#reading.length > longest ? this.end() : undefined;
    const record = this.#newest === null ? null : { ...this.#newest, message: '…' };
    this.#reading ??= { record, first: undefined, below: [], length: 0, file };
    this.#reading.below.push(line);
    this.#reading.length += line.length;
    return complete;
  }
}
