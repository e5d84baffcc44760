import { mostTexts, trainRequestSchema } from '../../shared/api.js';
import { configSchema, nearest, parseConfig, type SaeConfig } from '../../shared/config.js';
import { inputError } from '../../shared/errors.js';
import { absolutePaths, mergeConfig, withDefaultSource } from '../config-file.js';
import { allowedPaths, type PathRules } from './allowed-paths.js';

export interface RequestRules extends PathRules {
  /** Model, text and threads of requests that name none; else the bundled ones and all cores. Relative paths count from the root. */
  defaults: Pick<SaeConfig, 'model' | 'text' | 'threads'>;
}

const keys = Object.keys(trainRequestSchema.entries);
const layerHint = 'Give layer_idx, or a hook_name such as blocks.2.hook_resid_post.';

/**
 * The configuration that the body of `POST /sae/train` asks for: its short form laid over its `config`.
 * @throws WorkbenchError `config_invalid`, and what `allowedPaths` throws, each with its `field` where there is one.
 */
export async function readTrainRequest(body: unknown, rules: RequestRules): Promise<SaeConfig> {
  const config = requestedConfig(body);
  if ((config.text?.length ?? 0) > mostTexts) {
    const sentence = `The request names more than ${mostTexts} texts.`;
    throw inputError('config_invalid', sentence, 'Name a folder that holds them.', 'text');
  }
  const { threads, ...source } = rules.defaults;
  const others = threads === undefined ? {} : { threads };
  if (config.activation_data_path !== undefined) return { ...others, ...(await allowedPaths(config, rules)) };
  if (config.layer_idx === undefined && config.hook_name === undefined) {
    throw inputError('config_invalid', 'Neither a layer nor a hook point was given.', layerHint, 'layer_idx');
  }
  // What the person set up may lie anywhere.
  const defaults = absolutePaths(source, rules.root);
  return withDefaultSource({ ...others, ...defaults, ...(await allowedPaths(config, rules)) }, layerHint);
}

function requestedConfig(body: unknown): SaeConfig {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    const hint = 'Send { "layer_idx": 2 }, for example.';
    throw inputError('config_invalid', 'The request is not a JSON object.', hint);
  }
  const unknown = Object.keys(body).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    const [guess] = nearest(unknown, keys, 1);
    const hint = Object.hasOwn(configSchema.entries, unknown) ? 'Put it into config.' : `Did you mean "${guess}"?`;
    throw inputError('config_invalid', `The request has an unknown key "${unknown}".`, hint, unknown);
  }
  const { config = {}, ...short } = body as Record<string, unknown>;
  const given = parseConfig(short, 'The request');
  return mergeConfig(parseConfig(config, 'The config'), given);
}
