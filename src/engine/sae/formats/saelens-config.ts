import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { inputError } from '../../../shared/errors.js';
import { saeLensConfigPath } from '../../../run/layout.js';

/** What decides how the tensors beside a SAELens `cfg.json` are read. */
export interface SaelensConfig {
  architecture: string;
  width: number;
  latents: number;
  k: number | undefined;
  /** Whether b_d is subtracted from the input. */
  preBias: boolean;
  /** Whether topk ranks pre-activations times the norm of their decoder rows. */
  rescaled: boolean;
  normalization: string;
  metadata: Record<string, unknown>;
}

export function unusable(dir: string, reason: string): Error {
  const hint = 'Give the folder of a finished run, or a topk or standard SAE that SAELens wrote.';
  return inputError('run_unreadable', `The SAE in ${dir} cannot be read: ${reason}.`, hint);
}

async function readJson(dir: string): Promise<Record<string, unknown>> {
  const file = saeLensConfigPath(dir);
  const name = path.basename(file);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    throw unusable(dir, missing ? `it has no ${name}` : `${name} cannot be opened (${code ?? String(error)})`);
  });
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) {
      return config as Record<string, unknown>;
    }
  } catch {
    // One sentence below for whatever is not a JSON object.
  }
  throw unusable(dir, `${name} does not hold a JSON object`);
}

const metadataBefore6 = [
  'model_name',
  'hook_name',
  'model_class_name',
  'hook_head_index',
  'prepend_bos',
  'exclude_special_tokens',
  'context_size',
  'seqpos_slice',
  'dataset_path',
  'sae_lens_version',
  'sae_lens_training_version',
];

/** A configuration of before 6.0 in today's keys: flat metadata, topk hidden in `activation_fn_kwargs`. */
function modernise(old: Record<string, unknown>): Record<string, unknown> {
  const config: Record<string, unknown> = {
    ...old,
    hook_name: old.hook_name ?? old.hook_point,
    hook_head_index: old.hook_head_index ?? old.hook_point_head_index,
    architecture: old.architecture ?? 'standard',
  };
  const activation = old.activation_fn ?? old.activation_fn_str;
  const k = (old.activation_fn_kwargs as { k?: unknown } | null | undefined)?.k;
  if (activation === 'topk' && k !== undefined) {
    config.architecture = 'topk';
    config.k = k;
  }
  if (typeof old.normalize_activations === 'boolean') {
    config.normalize_activations = old.normalize_activations ? 'expected_average_only_in' : 'none';
  }
  const known = metadataBefore6.filter((key) => config[key] !== undefined);
  config.metadata = Object.fromEntries(known.map((key) => [key, config[key]]));
  return config;
}

/**
 * Reads and checks the `cfg.json` of a SAELens folder of any release.
 * @throws WorkbenchError `run_unreadable`
 */
export async function readConfig(dir: string): Promise<SaelensConfig> {
  const raw = await readJson(dir);
  const before6 = typeof raw.metadata !== 'object' || raw.metadata === null;
  const config = before6 ? modernise(raw) : raw;
  const size = (key: string): number => {
    const value = config[key];
    if (!Number.isSafeInteger(value) || (value as number) < 1) {
      throw unusable(dir, `${key} in its configuration is ${value === undefined ? 'missing' : JSON.stringify(value)}`);
    }
    return value as number;
  };
  return {
    architecture: String(config.architecture),
    width: size('d_in'),
    latents: size('d_sae'),
    k: config.architecture === 'topk' ? size('k') : undefined,
    preBias: config.apply_b_dec_to_input !== false,
    rescaled: config.rescale_acts_by_decoder_norm === true,
    normalization: typeof config.normalize_activations === 'string' ? config.normalize_activations : 'none',
    metadata: (config.metadata ?? {}) as Record<string, unknown>,
  };
}
