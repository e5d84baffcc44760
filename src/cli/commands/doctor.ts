import { setTimeout as sleep } from 'node:timers/promises';
import { checks } from '../doctor/checks.js';
import { type Result, runChecks } from '../doctor/check.js';
import { Place } from '../doctor/place.js';
import { exitCodes } from '../exit.js';
import { onStop } from '../stop.js';
import { type Paint, paintFor } from '../terminal/paint.js';
import { wrap } from '../terminal/wrap.js';
import { printable } from '../../shared/format.js';

export interface DoctorOptions {
  json?: boolean;
}

const closeMs = 10_000;

/** `iw doctor [CONFIG.sae.json]` */
export async function doctor(file: string | undefined, { json = false }: DoctorOptions): Promise<number> {
  const place = new Place(file);
  const stop = new AbortController();
  const unlisten = onStop(
    () => {
      stop.abort();
    },
    () => process.exit(exitCodes.interrupted),
  );
  const started = performance.now();
  const results: Result[] = [];
  let hangs = false;
  const paint = paintFor(process.stdout);
  const width = process.stdout.columns || Infinity;
  try {
    for await (const result of runChecks(checks, place, stop.signal)) {
      results.push(result);
      if (!json) process.stdout.write(`${resultLines(result, paint, width).join('\n')}\n`);
    }
  } finally {
    const closed = place.close().then(() => true);
    // What a check has left hanging holds nobody up.
    hangs = !(await Promise.race([closed, sleep(closeMs, false, { ref: false })]));
    unlisten();
  }
  const code = stop.signal.aborted ? exitCodes.interrupted : report(results, performance.now() - started, json);
  if (hangs) process.exit(code);
  return code;
}

/** Closes the report. Returns the exit code. */
function report(results: readonly Result[], ms: number, json: boolean): number {
  const failed = results.filter(({ status }) => status === 'failed').length;
  const seconds = Number((ms / 1000).toFixed(1));
  if (json) process.stdout.write(`${JSON.stringify({ ok: failed === 0, seconds, checks: results })}\n`);
  else process.stdout.write(`\n${closingLine(failed, results.length, seconds)}\n`);
  return failed === 0 ? exitCodes.done : exitCodes.failed;
}

const words = { ok: 'ok', note: 'note', failed: 'FAILED' };
const colours = { ok: 'green', note: 'yellow', failed: 'red' } as const;
const longestName = Math.max(...checks.map(({ name }) => name.length));

/** A line per check, what does not fit the width below it; what is wrong and what to do about it on indented lines below. */
export function resultLines({ name, status, message, hint, ms }: Result, paint: Paint, width: number): string[] {
  const time = `${ms} ms`.padStart(8);
  const head = `${paint[colours[status]](words[status].padEnd(6))} ${time}  ${name.padEnd(longestName)}`;
  const indented = (text: string, columns: number) =>
    wrap(printable(text), width - columns).map((line) => `${' '.repeat(columns)}${line}`);
  if (status !== 'failed') {
    const [first = '', ...more] = indented(message, `FAILED ${time}  `.length + longestName + 2);
    return [`${head}  ${first.trimStart()}`, ...more];
  }
  return [head.trimEnd(), ...[message, hint].filter((text) => text !== '').flatMap((text) => indented(text, 7))];
}

function closingLine(failed: number, all: number, seconds: number): string {
  return failed === 0
    ? `All is well: ${all} checks in ${seconds} s.`
    : `${failed} of ${all} checks FAILED, in ${seconds} s.`;
}
