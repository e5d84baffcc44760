import { parseConfig, type SaeConfig } from '../shared/config.js';
import { inputError } from '../shared/errors.js';

export { absolutePaths, readConfigFile, writeConfigFile } from '../run/config-file.js';

/** Keys of which a configuration may have only one: giving one of them overrides the others. */
const alternatives: readonly (readonly (keyof SaeConfig)[])[] = [
  ['layer_idx', 'hook_name'],
  ['activation_data_path', 'text'],
];

/**
 * A configuration with some of its values replaced, as flags override a file. Undefined values override nothing; a
 * `layer_idx` replaces a `hook_name` and the reverse, a `text` an `activation_data_path` and the reverse.
 * @throws WorkbenchError `config_invalid` if the two do not go together.
 */
export function mergeConfig(base: SaeConfig, overrides: SaeConfig): SaeConfig {
  const given = Object.fromEntries(
    Object.entries(overrides as Record<string, unknown>).filter(([, value]) => value !== undefined),
  );
  const replaced = alternatives.filter((keys) => keys.some((key) => key in given)).flat() as string[];
  const kept = Object.fromEntries(Object.entries(base).filter(([key]) => !replaced.includes(key)));
  return parseConfig({ ...kept, ...given }, 'The configuration');
}

/**
 * The configuration with the model and text that ship, and the layer they are shown with, where it names none.
 * `layerHint` says how a layer is given.
 * @throws WorkbenchError `config_invalid` where a model but no hook point is named.
 */
export function withDefaultSource(config: SaeConfig, layerHint: string): SaeConfig {
  if (config.activation_data_path !== undefined) return config;
  const hooked = config.layer_idx !== undefined || config.hook_name !== undefined;
  if (config.model !== undefined && !hooked) {
    throw inputError('config_invalid', 'Neither a layer nor a hook point was given.', layerHint, 'layer_idx');
  }
  const source = { model: config.model ?? 'bundled:demo-gpt2', text: config.text ?? ['bundled:sample'] };
  return { ...config, ...source, ...(hooked ? {} : { layer_idx: 2 }) };
}
