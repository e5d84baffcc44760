import { statSync } from 'node:fs';
import path from 'node:path';
import { inputError } from '../shared/errors.js';
import { logComponents, logLevels, type LogComponent, type LogLevel } from '../shared/logs.js';

/** What is typed about a server, checked. Each throws WorkbenchError `config_invalid`, which says what was expected. */

/** `--port`: 0 to 65535. */
export function portOf(given: string): number {
  const port = Number(given);
  if (/^\d+$/.test(given) && port <= 65_535) return port;
  const sentence = `--port is "${given}", expected a number from 0 to 65535.`;
  throw inputError('config_invalid', sentence, 'For example: --port 8000; 0 takes any free port.');
}

/** The token that the environment gives; undefined: the server makes one. */
export function tokenOf({ IW_TOKEN: token }: NodeJS.ProcessEnv): string | undefined {
  return token === '' ? undefined : token;
}

/** The folder that a flag names, which has to exist. */
export function folderOf(flag: string, given: string): string {
  const folder = path.resolve(given);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw inputError('config_invalid', `${flag}: there is no folder ${folder}.`, 'Name one that exists.');
}

/** `--concurrency`: 1 and up. */
export function concurrencyOf(given: string): number {
  if (/^[1-9]\d{0,3}$/.test(given)) return Number(given);
  const sentence = `--concurrency is "${given}", expected a whole number from 1.`;
  throw inputError('config_invalid', sentence, 'For example: --concurrency 2');
}

/** `--log-level`: `training=WARNING` sets the level of a component, `WARNING` that of all; later ones override. */
export function levelsOf(given: readonly string[]): Partial<Record<LogComponent, LogLevel>> {
  return Object.fromEntries(given.flatMap(levelsOfOne));
}

function levelsOfOne(given: string): [LogComponent, LogLevel][] {
  const [name = '', component] = given.split('=').reverse();
  const level = logLevels.find((each) => each === name.toUpperCase());
  const components = logComponents.filter((each) => component === undefined || each === component.toLowerCase());
  if (level !== undefined && components.length > 0) return components.map((each) => [each, level]);
  const hint = `Levels are ${logLevels.join(', ')}; components are ${logComponents.join(', ')}.`;
  throw inputError('config_invalid', `--log-level is "${given}", expected a level or component=LEVEL.`, hint);
}
