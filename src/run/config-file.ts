import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseConfig, type SaeConfig } from '../shared/config.js';
import { inputError } from '../shared/errors.js';

/**
 * The configuration with every path made absolute, relative ones counted from `base`. Names of what ships
 * (`bundled:demo-gpt2`) are no paths and stay.
 */
export function absolutePaths(config: SaeConfig, base: string): SaeConfig {
  const absolute = (name: string) => (name.startsWith('bundled:') ? name : path.resolve(base, name));
  const { model, text, activation_data_path: activations, output_dir: out } = config;
  return {
    ...config,
    ...(model === undefined ? {} : { model: absolute(model) }),
    ...(text === undefined ? {} : { text: text.map(absolute) }),
    ...(activations === undefined ? {} : { activation_data_path: absolute(activations) }),
    ...(out === undefined ? {} : { output_dir: absolute(out) }),
  };
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
