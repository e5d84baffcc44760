import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Logs } from '../../workbench/logging/logs.js';
import { type Check, expect, type Finding } from './check.js';
import type { Place } from './place.js';

/** The log files that the checks before have written. */

const recordLine = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - ([a-z]+) - (DEBUG|INFO|WARNING|ERROR) - ./;
/** Lines below a record: its stack. */
const stackLine = /^ {4,}\S/;

/** What has to be in a log after a run by the API. */
const written: readonly [string, RegExp][] = [
  ['the request that started the run', / - api - INFO - POST \/sae\/train 202 /],
  ['the refused request', / - api - WARNING - GET \/sae\/training\/jobs 401 /],
  ['the WebSocket client', / - websocket - INFO - /],
  ['an epoch', / - training - INFO - .*[Ee]poch/],
];

async function linesOf(file: string): Promise<string[]> {
  // What was logged in a turn is written at its end.
  await nextTurn();
  const lines = (await readFile(file, 'utf8')).split('\n');
  expect(lines.pop() === '', `${file} does not end with a whole line.`);
  for (const line of lines) expect(recordLine.test(line) || stackLine.test(line), `${file} has a line “${line}”.`);
  return lines;
}

async function apiLog(place: Place): Promise<Finding> {
  const file = path.join(place.logFolder, 'api.log');
  const lines = await linesOf(file);
  for (const [what, pattern] of written)
    expect(
      lines.some((line) => pattern.test(line)),
      `${file} lacks ${what}.`,
    );
  const { token } = place.server;
  expect(token === null || !lines.some((line) => line.includes(token)), `${file} tells the token.`);
  return `${lines.length} lines, one per record, with requests, connections and epochs`;
}

async function errorsLog(place: Place): Promise<Finding> {
  const file = path.join(place.logFolder, 'errors.log');
  const errors = (await linesOf(file)).filter((line) => recordLine.test(line));
  const other = errors.find((line) => recordLine.exec(line)?.[2] !== 'ERROR');
  expect(other === undefined, `${file} has a record that is no error: “${other}”`);
  const all = (await linesOf(path.join(place.logFolder, 'api.log'))).filter(
    (line) => recordLine.exec(line)?.[2] === 'ERROR',
  );
  expect(errors.length > 0 && errors.length === all.length, `${file} has ${errors.length} of ${all.length} errors.`);
  return `${errors.length} errors and nothing else`;
}

const maxBytes = 20_000;
const records = 1000;

/** Writes more than fits a file: older files are kept beside it, nothing is lost, and each record is one line. */
async function rotation(place: Place): Promise<Finding> {
  const folder = path.join(place.folder, 'rotation');
  const logs = new Logs({ folder, maxBytes });
  for (let i = 0; i < records; i++) logs.log('engine', 'DEBUG', `one line\nrecord ${i}`);
  await logs.close();
  const names = (await readdir(folder))
    .filter((name) => name.startsWith('api.log'))
    .sort()
    .reverse();
  const numbers: number[] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    const { size } = await stat(file);
    expect(size <= maxBytes, `${file} has ${size} bytes, of at most ${maxBytes}.`);
    for (const line of await linesOf(file)) numbers.push(Number(/ - one line\\nrecord (\d+)$/.exec(line)?.[1]));
  }
  expect(names.length > 1, `All is in ${names.join()}.`);
  expect(
    numbers.length === records && numbers.every((number, i) => number === i),
    `Of ${records} records ${numbers.length} are there.`,
  );
  return `${records} records in ${names.length} files`;
}

export const loggingChecks: readonly Check<Place>[] = [
  { name: 'api.log', needs: ['training'], run: apiLog },
  { name: 'errors.log', needs: ['killed engine'], run: errorsLog },
  { name: 'rotation', needs: ['temporary folder'], run: rotation },
];
