import * as v from 'valibot';
import { inputError } from './errors.js';

/**
 * The configuration of a run: what a `*.sae.json` holds, what the CLI's flags set and what an API request carries.
 * Every field is optional here; `resolveConfig` (defaults.ts) fills in the rest once the model's width and the amount of
 * text are known.
 */

const text = (about: string) => v.pipe(v.string(), v.minLength(1), v.description(about));
const whole = (minimum: number, about: string) =>
  v.pipe(
    v.number(),
    v.finite(),
    v.integer(),
    v.minValue(minimum),
    v.maxValue(Number.MAX_SAFE_INTEGER),
    v.description(about),
  );
const real = (minimum: number, maximum: number, about: string) =>
  v.pipe(v.number(), v.finite(), v.minValue(minimum), v.maxValue(maximum), v.description(about));
const flag = (about: string) => v.pipe(v.boolean(), v.description(about));

export const architectures = ['topk', 'standard'] as const;
export type Architecture = (typeof architectures)[number];
export const preselections = ['int8', 'none'] as const;
export type Preselection = (typeof preselections)[number];

const fields = {
  $schema: text('The JSON Schema of this file; ignored.'),
  name: text('What the run is called in lists.'),

  model: text('The transformer: a folder with an ONNX file and tokenizer.json, an .onnx file, or bundled:demo-gpt2.'),
  layer_idx: whole(0, 'Layer l, short for the hook point blocks.l.hook_resid_post.'),
  hook_name: text('The hook point, a TransformerLens name such as blocks.2.hook_resid_post, or a tensor of the graph.'),
  text: v.pipe(
    v.array(v.pipe(v.string(), v.minLength(1))),
    v.minLength(1),
    v.description('The text: .txt, .md or .jsonl files, folders of them, or bundled:sample.'),
  ),
  activation_data_path: text('Recorded activations (.parquet) to train on instead of a model and text.'),
  context_size: whole(2, 'Tokens per context. Default: 128, or the most the model takes if that is less.'),
  prepend_bos: flag('Start every context with the tokenizer’s BOS token, if it has one. Default: true.'),
  exclude_first_position: flag(
    'Leave out the first position of every context, an attention sink with a huge norm. Default: true.',
  ),
  held_out_fraction: real(0, 0.9, 'Part of the documents kept out of training and used for evaluation. Default: 0.1.'),
  max_samples: whole(1, 'Use only the first so many documents (of recorded activations: samples).'),

  architecture: v.pipe(
    v.picklist(architectures),
    v.description('topk (Gao et al. 2024) or standard (ReLU + L1). Default: topk.'),
  ),
  latent_dim: whole(2, 'Number of latents n. Default: 16 × the width, at most 16384.'),
  k: whole(1, 'Active latents per token, for topk. Default: 32.'),
  sparsity_coef: real(0, 1e6, 'λ, the weight of the L1 term, for standard. Default: 2.'),
  tied_init: flag('Start the encoder as the transpose of the decoder. Default: true.'),

  max_epochs: whole(1, 'Times the text is read. Default: as many as make 3.5 million tokens.'),
  max_tokens: whole(1, 'Stop after so many training tokens, whatever max_epochs says.'),
  batch_size: whole(1, 'Tokens per step. Default: the largest of 4096, 2048, 1024 that gives at least 1500 steps.'),
  learning_rate: real(
    0,
    10,
    'Peak learning rate. Default: 2e-4 / √(n / 2¹⁴), and more for topk in runs of less than 25,000 steps.',
  ),
  lr_warmup_steps: whole(0, 'Steps of linear warm-up. Default: 5 % of the run, at most 1000.'),
  lr_decay_fraction: real(
    0,
    1,
    'Last part of the run, over which the learning rate falls linearly to 0. Default: 0.2.',
  ),
  adam_beta1: real(0, 0.999999, 'Decay of Adam’s first moment. Default: 0.9.'),
  adam_beta2: real(0, 0.999999, 'Decay of Adam’s second moment. Default: 0.999.'),
  adam_epsilon: real(1e-30, 1, 'Adam’s ε. Default: 1e-8.'),
  clip_norm: real(1e-12, 1e12, 'The norm of all gradients together is clipped to this. Default: 1.'),
  aux_coef: real(0, 1e6, 'α, the weight of the AuxK loss that revives dead latents, for topk. Default: 1/32.'),
  dead_after_tokens: whole(
    1,
    'A latent is dead when it fired on none of the last so many tokens. Default: 5 % of the run, from 100,000 to 10 million.',
  ),
  preselection: v.pipe(
    v.picklist(preselections),
    v.description(
      'How topk finds a token’s k latents: among candidates of an int8 product, of which the exact pre-activations decide (int8), or all of them exactly (none). Default: int8.',
    ),
  ),

  shuffle_buffer_tokens: whole(1, 'Activations mixed in memory before they are drawn in batches. Default: 131072.'),
  activation_cache: v.pipe(
    v.picklist(['float32', 'float16', 'none']),
    v.description(
      'How a run of several epochs keeps its activations on disk: float32, float16, or none, which computes them again. Default: float32.',
    ),
  ),
  checkpoint_seconds: real(0, 1e9, 'Seconds between checkpoints. Default: 120.'),
  log_every_steps: whole(1, 'Steps between lines of metrics.jsonl. Default: 10.'),
  evaluation_tokens: whole(1, 'Most held-out tokens the reconstruction metrics are measured on. Default: 131072.'),
  cross_entropy_tokens: whole(
    0,
    'Most held-out tokens the language-model losses are measured on; 0 leaves them out. Default: 32768.',
  ),
  feature_tokens: whole(0, 'Most tokens searched for each latent’s top examples; 0 leaves them out. Default: 1048576.'),

  seed: whole(0, 'Seed of everything random. Default: 0.'),
  threads: whole(1, 'Threads of the engine. Default: all cores.'),
  output_dir: text('The run folder.'),

  provenance: v.pipe(
    v.record(v.string(), v.unknown()),
    v.description('Versions and hashes, written by a run; ignored.'),
  ),
} as const;

export const configSchema = v.strictObject(v.entriesFromObjects([v.partial(v.object(fields))]));
export type SaeConfig = v.InferOutput<typeof configSchema>;
export const configKeys = Object.keys(fields) as (keyof SaeConfig)[];

/** The sentence under a field: what the JSON Schema, the CLI's help and the settings show. */
export function describe(key: keyof SaeConfig): string {
  return v.getDescription(fields[key]) ?? '';
}

/** Fewest single-character edits between two words, for "did you mean". Levenshtein 1966. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The candidates nearest to a word, nearest first; of a long word, to its beginning. */
export function nearest(word: string, candidates: readonly string[], most = 3): string[] {
  const start = word.slice(0, 100);
  return [...candidates].sort((a, b) => editDistance(start, a) - editDistance(start, b)).slice(0, most);
}

/**
 * Checks a configuration read from anywhere. `origin` names it in messages (a file name, "the request").
 * @throws WorkbenchError `config_invalid` that names the field, what was given and what is allowed.
 */
export function parseConfig(value: unknown, origin: string): SaeConfig {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw inputError(
      'config_invalid',
      `${origin} does not hold a JSON object.`,
      'Write the configuration as { "key": value, … }.',
    );
  }
  const given = value as Record<string, unknown>;
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(fields, key));
  if (unknown !== undefined) {
    const [guess] = nearest(unknown, configKeys, 1);
    const hint =
      unknown.length < 100 && editDistance(unknown, guess!) <= 4
        ? `Did you mean "${guess}"?`
        : `Known keys: ${configKeys.join(', ')}.`;
    throw inputError('config_invalid', `${origin} has an unknown key "${unknown}".`, hint, unknown);
  }
  const normalised = typeof given.text === 'string' ? { ...given, text: [given.text] } : given;
  const result = v.safeParse(configSchema, normalised);
  if (!result.success) {
    const [issue] = result.issues;
    const key = v.getDotPath(issue)?.split('.')[0] ?? '';
    const expected = issue.expected ?? issue.message;
    const sentence = `${origin}: "${key}" is ${JSON.stringify(given[key])}, expected ${expected}.`;
    throw inputError('config_invalid', sentence, describe(key as keyof SaeConfig), key);
  }
  const config = result.output;
  if (config.layer_idx !== undefined && config.hook_name !== undefined) {
    const sentence = `${origin} gives both layer_idx and hook_name.`;
    throw inputError('config_invalid', sentence, 'Give one of the two.', 'hook_name');
  }
  if (config.activation_data_path !== undefined && config.text !== undefined) {
    const sentence = `${origin} gives both activation_data_path and text.`;
    throw inputError('config_invalid', sentence, 'Give one of the two.', 'text');
  }
  if (config.k !== undefined && config.latent_dim !== undefined && config.k > config.latent_dim) {
    const sentence = `${origin}: k is ${config.k}, more than latent_dim (${config.latent_dim}).`;
    throw inputError('config_invalid', sentence, 'Choose a k well below latent_dim; 32 is usual.', 'k');
  }
  return config;
}

export { resolveConfig, totalSteps, type ResolvedConfig } from './defaults.js';
