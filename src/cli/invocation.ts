import path from 'node:path';

/** How this program was started and what to type to start it again, for the commands that it prints. */

/** Quotes an argument for the shell people are likely to paste it into. */
export function shellQuote(argument: string, platform: NodeJS.Platform = process.platform): string {
  if (/^[\w@%+=:,./\\-]+$/.test(argument) && (platform === 'win32' || !argument.includes('\\'))) return argument;
  return platform === 'win32' ? `"${argument}"` : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** The words that start this program as it was started now: `npm run iw --`, `iw`, or `node dist/cli.js`. */
export function programWords(
  script: string = process.argv[1] ?? '',
  environment: NodeJS.ProcessEnv = process.env,
  cwd: string = process.cwd(),
): string[] {
  if (['iw', 'start'].includes(environment.npm_lifecycle_event ?? '')) return ['npm', 'run', 'iw', '--'];
  const name = path.basename(script);
  if (!/\.[cm]?[jt]s$/.test(name)) return [name];
  return ['node', shortest(script, cwd)];
}

/** A path as it is shortest to read from a folder: relative where it lies inside. */
export function shortest(target: string, from: string = process.cwd()): string {
  const relative = path.relative(from, target);
  if (relative === '') return '.';
  return relative.startsWith('..') || path.isAbsolute(relative) ? target : relative;
}

/** A whole command line that can be pasted. */
export function commandLine(...words: string[]): string {
  return [...programWords(), ...words].map((word) => shellQuote(word)).join(' ');
}
