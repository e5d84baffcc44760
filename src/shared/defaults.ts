import type { Architecture, SaeConfig } from './config.js';
import { inputError } from './errors.js';

/** What may stay open: where the data comes from, and names. */
type Open =
  | '$schema'
  | 'name'
  | 'model'
  | 'layer_idx'
  | 'hook_name'
  | 'text'
  | 'activation_data_path'
  | 'max_samples'
  | 'threads'
  | 'output_dir'
  | 'provenance';

/** A configuration with every default filled in. */
export type ResolvedConfig = Pick<SaeConfig, Open> & Required<Omit<SaeConfig, Open>>;

/** Defaults that need to know nothing, and so hold before the model and the text have been looked at. */
export const dataDefaults = {
  context_size: 128,
  prepend_bos: true,
  exclude_first_position: true,
  held_out_fraction: 0.1,
  evaluation_tokens: 2 ** 17,
  cross_entropy_tokens: 2 ** 15,
  seed: 0,
} as const;

/** Defaults of the training itself that are the same for every run. */
export const trainingDefaults = {
  architecture: 'topk',
  sparsity_coef: 2,
  tied_init: true,
  lr_decay_fraction: 0.2,
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  clip_norm: 1,
  preselection: 'int8',
  aux_coef: 1 / 32,
  shuffle_buffer_tokens: 2 ** 17,
  activation_cache: 'float32',
  checkpoint_seconds: 120,
  log_every_steps: 10,
  feature_tokens: 2 ** 20,
} as const;

const fewestTokens = 3_500_000;
const fewestSteps = 1500;

/** Steps in a whole run: incomplete last batches of an epoch are dropped, and `max_tokens` ends it early. */
export function totalSteps(
  config: Pick<ResolvedConfig, 'max_epochs' | 'max_tokens' | 'batch_size'>,
  rowsPerEpoch: number,
): number {
  const perEpoch = Math.floor(rowsPerEpoch / config.batch_size);
  return Math.min(perEpoch * config.max_epochs, Math.floor(config.max_tokens / config.batch_size));
}

/**
 * Fills in every default. `width` is d, the width of the activations; `rowsPerEpoch` the training tokens of one epoch.
 * @throws WorkbenchError `config_invalid` where what was given and what was filled in do not go together.
 */
export function resolveConfig(config: SaeConfig, width: number, rowsPerEpoch: number): ResolvedConfig {
  if (rowsPerEpoch < 1) throw inputError('text_empty', 'There are no tokens to train on.', 'Give more text.');
  const latents = config.latent_dim ?? Math.min(16 * width, 16384);
  const k = config.k ?? Math.min(32, latents);
  if (k > latents) {
    throw inputError(
      'config_invalid',
      `k is ${k}, more than latent_dim (${latents}).`,
      'Choose a k well below latent_dim; 32 is usual.',
      'k',
    );
  }
  const most = config.max_tokens ?? Infinity;
  const wanted = config.max_tokens ?? fewestTokens;
  // an epoch shows the rows of its whole batches only
  const epochsOf = (size: number) =>
    config.max_epochs ?? Math.max(1, Math.ceil(wanted / (size * Math.floor(rowsPerEpoch / size))));
  const stepsOf = (size: number) =>
    totalSteps({ max_epochs: epochsOf(size), max_tokens: most, batch_size: size }, rowsPerEpoch);
  const batch =
    config.batch_size ??
    [4096, 2048, 1024].find((size) => stepsOf(size) >= fewestSteps) ??
    Math.min(1024, most, rowsPerEpoch);
  if (batch > rowsPerEpoch) {
    const sentence = `batch_size is ${batch}, but the text gives only ${rowsPerEpoch} training tokens.`;
    throw inputError('config_invalid', sentence, 'Give more text or a smaller batch_size.', 'batch_size');
  }
  const epochs = epochsOf(batch);
  const tokens = Math.min(most, epochs * rowsPerEpoch);
  const steps = stepsOf(batch);
  if (steps < 1) {
    const sentence = `max_tokens is ${tokens}, less than one batch of ${batch}.`;
    throw inputError('config_invalid', sentence, 'Give a larger max_tokens or a smaller batch_size.', 'max_tokens');
  }
  return {
    ...dataDefaults,
    ...trainingDefaults,
    learning_rate: peakRate(config.architecture ?? trainingDefaults.architecture, width, latents, steps),
    lr_warmup_steps: Math.min(1000, Math.ceil(steps * 0.05)),
    dead_after_tokens: Math.min(10_000_000, Math.max(100_000, Math.round(0.05 * steps * batch))),
    ...given(config),
    latent_dim: latents,
    k,
    max_epochs: epochs,
    max_tokens: tokens,
    batch_size: batch,
  };
}

/** Steps from which on a run of topk takes the rate of Gao et al. 2024, who trained for far more. */
const longRun = 25_000;

/**
 * 2e-4 / √(n / 2¹⁴) (Gao et al. 2024). Of topk, a shorter run takes √(longRun / steps) times as much, up to 0.03 / √d. On the
 * demo model's activations, 435 to 1790 steps then explain 0.013 to 0.024 more of the held-out variance. A higher rate explains a
 * little more, by latents that hardly ever fire: in 435 steps at n = 4096, 35 % of them on none of 17,000 tokens at 0.05 / √d and
 * 15 % at 0.03 / √d.
 */
function peakRate(architecture: Architecture, width: number, latents: number, steps: number): number {
  const long = 2e-4 / Math.sqrt(latents / 2 ** 14);
  if (architecture !== 'topk') return long;
  return Math.max(long, Math.min(long * Math.sqrt(longRun / steps), 0.03 / Math.sqrt(width)));
}

/** Without the keys whose value is undefined, which must not hide a default. */
function given(config: SaeConfig): SaeConfig {
  return Object.fromEntries(
    Object.entries(config as Record<string, unknown>).filter(([, value]) => value !== undefined),
  );
}
