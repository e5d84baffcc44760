import type { LogRecord } from '../../shared/logs.js';

/** A record longer than this is cut: one message must not push everything else out of the files. */
const longest = 32_768;

/** What stands before each line of a stack. */
export const stackIndent = '    ';

const names: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text on one line: line breaks (Unicode’s too) and control characters (C0, DEL, C1) are written as escapes. */
export function oneLine(text: string): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}… (${text.length - longest} more characters)` : text;
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return names[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

const two = (value: number) => String(value).padStart(2, '0');

/** Local time as `2024-01-15 10:30:45`. */
export function formatTime(time: number): string {
  const date = new Date(time);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** A record as it stands in a log file: one line, and its stack on indented lines below. Ends with a line break. */
export function formatRecord({ time, component, level, message, stack }: LogRecord): string {
  const line = `${formatTime(time)} - ${component} - ${level} - ${oneLine(message)}\n`;
  if (stack === undefined) return line;
  const below = stack.slice(0, longest).split(/\r\n|\r|\n/);
  return line + below.map((each) => (each.trim() === '' ? '' : `${stackIndent}${oneLine(each)}\n`)).join('');
}
