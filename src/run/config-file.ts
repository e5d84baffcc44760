import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseConfig, type SaeConfig } from '../shared/config.js';
import { inputError } from '../shared/errors.js';
import { writeFileAtomic } from './atomic.js';

/** The configuration with each of its paths changed. Names of what ships (`bundled:demo-gpt2`) are no paths and stay. */
function mapPaths(config: SaeConfig, change: (path: string) => string): SaeConfig {
  const changed = (name: string) => (name.startsWith('bundled:') ? name : change(name));
  const { model, text, activation_data_path: activations, output_dir: out } = config;
  return {
    ...config,
    ...(model === undefined ? {} : { model: changed(model) }),
    ...(text === undefined ? {} : { text: text.map(changed) }),
    ...(activations === undefined ? {} : { activation_data_path: changed(activations) }),
    ...(out === undefined ? {} : { output_dir: changed(out) }),
  };
}

/** The configuration with every path made absolute, relative ones counted from `base`. */
export function absolutePaths(config: SaeConfig, base: string): SaeConfig {
  return mapPaths(config, (name) => path.resolve(base, name));
}

/**
 * Writes a configuration whose paths are absolute as a `*.sae.json`; in it they count from its own folder, with slashes that
 * every system reads.
 * @throws the file system's error; what was there before is then untouched.
 */
export async function writeConfigFile(file: string, config: SaeConfig): Promise<void> {
  const base = path.dirname(path.resolve(file));
  const relative = (name: string) => (path.relative(base, name) || '.').split(path.sep).join('/');
  await writeFileAtomic(file, `${JSON.stringify(mapPaths(config, relative), null, 2)}\n`);
}

/** The line (from 1) in which a JSON text breaks, where V8's message has a position; a text cut short breaks in its last line. */
function brokenLine(text: string, message: string): number | null {
  const position = /end of JSON input/.test(message) ? text.length : /position (\d+)/.exec(message)?.[1];
  return position === undefined ? null : text.trimEnd().slice(0, Number(position)).split('\n').length;
}

/**
 * Reads a `*.sae.json`; its relative paths count from its own folder.
 * @throws WorkbenchError `config_invalid`: missing, not JSON (with the line), or not a valid configuration.
 */
export async function readConfigFile(file: string): Promise<SaeConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const sentence =
      code === 'ENOENT' ? `There is no configuration file ${file}.` : `${file} cannot be read (${code ?? 'unknown'}).`;
    throw inputError('config_invalid', sentence, 'Check the path of the *.sae.json file.');
  }
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const line = brokenLine(text, message);
    const sentence = `${file} is not valid JSON${line === null ? '' : ` (line ${line})`}.`;
    throw inputError('config_invalid', sentence, `The JSON parser says: ${message.split('\n', 1)[0] ?? ''}`);
  }
  return absolutePaths(parseConfig(value, path.basename(file)), path.dirname(path.resolve(file)));
}
