/** Numbers, times and text as people read them. What is unknown is a dash, never a zero. */

export const unknown = '–';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A whole number with thousands separators: 3,574,016. */
export function whole(value: number | null | undefined): string {
  return value === null || value === undefined ? unknown : grouped.format(value);
}

/** A quantity to three digits: 870, 16.4k, 3.57M. */
export function compact(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknown;
  const steps = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const;
  const step = steps.find(([size]) => Math.abs(value) >= size * 0.9995);
  if (!step) return trimmed(value);
  return `${trimmed(value / step[0])}${step[1]}`;
}

function trimmed(value: number): string {
  const magnitude = Math.abs(value);
  return value.toFixed(magnitude >= 99.95 || Number.isInteger(value) ? 0 : magnitude >= 9.995 ? 1 : 2);
}

/** A loss or another real number to four significant digits: 0.1234, 12.34, 1.234e-7. */
export function real(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return unknown;
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude < 1e-4 || magnitude >= 1e7) return value.toExponential(digits - 1);
  return Number(value.toPrecision(digits)).toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(magnitude))));
}

/** A value of fixed decimals, so that a column of them lines up. */
export function fixed(value: number | null | undefined, decimals: number): string {
  return value === null || value === undefined ? unknown : value.toFixed(decimals);
}

/** A part of one as percent: 0.0123 is 1.2 %. */
export function percent(part: number | null | undefined): string {
  return part === null || part === undefined ? unknown : `${(100 * part).toFixed(1)} %`;
}

/** Seconds that have passed: 4.2 s, 1:02 or 1:02:03. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return unknown;
  return seconds < 9.95 ? `${seconds.toFixed(1)} s` : clock(Math.round(seconds));
}

/** Seconds still to go, as a clock: 0:42. Rounded up, so that it says 0:00 only when nothing is left. */
export function countdown(seconds: number | null | undefined): string {
  return seconds === null || seconds === undefined ? unknown : clock(Math.ceil(seconds));
}

function clock(total: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}

/** Bytes in decimal units, as file managers show them. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} bytes`;
  const unit = Math.min(4, Math.floor(Math.log10(value) / 3));
  return `${trimmed(value / 1000 ** unit)} ${['', 'kB', 'MB', 'GB', 'TB'][unit]!}`;
}

/** An ISO time as local date and time, as the log lines have it. */
export function localTime(iso: string | null | undefined): string {
  if (iso === null || iso === undefined) return unknown;
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return unknown;
  const two = (value: number) => String(value).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/**
 * Text of unknown origin made safe to print on one line: a document's token may hold escape sequences that would
 * move the cursor or hide text. Line breaks and tabs get their usual marks, every other control character its code.
 */
export function printable(text: string): string {
  return text
    .replace(/\r\n|\r|\n/g, '↵')
    .replace(/\t/g, '→')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (char) => {
      const code = char.codePointAt(0)!.toString(16).padStart(4, '0');
      // Zero-width joiners hold emoji together; alone they do no harm.
      return char === '\u200d' ? char : `\\u${code}`;
    });
}

const ticks = '▁▂▃▄▅▆▇█';

/** A series as one line of block characters, averaged into at most `columns` of them; empty for fewer than two values. */
export function sparkline(values: readonly number[], columns: number): string {
  if (values.length < 2 || columns < 1) return '';
  const width = Math.min(columns, values.length);
  const means = Array.from({ length: width }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / width), Math.floor(((i + 1) * values.length) / width));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const low = Math.min(...means);
  const range = Math.max(...means) - low;
  return means.map((mean) => ticks[range === 0 ? 0 : Math.round(((mean - low) / range) * 7)]).join('');
}
