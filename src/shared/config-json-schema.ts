import { toJsonSchema, type JsonSchema } from '@valibot/to-json-schema';
import { configSchema, type SaeConfig } from './config.js';
import { dataDefaults, trainingDefaults } from './defaults.js';

/**
 * The JSON Schema of `*.sae.json`, made from the configuration's own schema: VS Code completes and checks these files by it.
 * It is part of the build; nothing that runs needs it.
 */

/** A schema with what VS Code's JSON language service knows beyond draft-07. */
export interface EditorSchema extends JsonSchema {
  properties: Record<keyof SaeConfig, JsonSchema>;
}

interface Suggestions extends JsonSchema {
  /** A sentence for each of the values of `enum`. */
  enumDescriptions?: string[];
}

/** What is offered where the schema's own words do not say enough: values to choose from, and what each of them means. */
const suggestions: Partial<Record<keyof SaeConfig, Suggestions>> = {
  model: { examples: ['bundled:demo-gpt2'] },
  layer_idx: { examples: [2] },
  hook_name: { examples: ['blocks.2.hook_resid_post'] },
  text: { examples: [['bundled:sample']] },
  activation_data_path: { examples: ['activations.parquet'] },
  architecture: {
    enumDescriptions: [
      'Keeps the k strongest latents of every token (Gao et al. 2024).',
      'ReLU with an L1 penalty, whose weight is sparsity_coef.',
    ],
  },
  latent_dim: { examples: [4096, 8192, 16384] },
  k: { examples: [16, 32, 64] },
  batch_size: { examples: [1024, 2048, 4096] },
  activation_cache: {
    enumDescriptions: [
      'Kept as they are: 4 bytes per value.',
      'Rounded: 2 bytes per value.',
      'Not kept: the model runs again in every epoch.',
    ],
  },
};

/** Pairs of keys of which a configuration may hold one. */
const alternatives: readonly (readonly [keyof SaeConfig, keyof SaeConfig])[] = [
  ['layer_idx', 'hook_name'],
  ['activation_data_path', 'text'],
];

/** The message appears at the second key, which is the one that is refused. */
function atMostOne([first, second]: (typeof alternatives)[number]): JsonSchema {
  const errorMessage = `Give either ${first} or ${second}, not both.`;
  return {
    if: { required: [first] },
    then: { properties: { [second]: false }, errorMessage } as JsonSchema,
  };
}

/** What a new file can begin with; `${1:…}` is where the cursor stops, `^` marks a value that is no string. */
const beginnings = [
  {
    label: 'SAE on a model and text',
    description: 'Train on the activations of one layer of a model.',
    body: {
      model: '${1:bundled:demo-gpt2}',
      layer_idx: '^${2:2}',
      text: ['${3:bundled:sample}'],
      architecture: 'topk',
      latent_dim: '^${4:4096}',
      k: '^${5:32}',
    },
  },
  {
    label: 'SAE on recorded activations',
    description: 'Train on a Parquet file with one row per token.',
    body: {
      activation_data_path: '${1:activations.parquet}',
      architecture: 'topk',
      latent_dim: '^${2:4096}',
      k: '^${3:32}',
    },
  },
];

/** The JSON Schema (draft-07) of a configuration file. It refuses what `parseConfig` refuses, but for a k above latent_dim. */
export function configJsonSchema(): EditorSchema {
  // In JSON every number is finite.
  const schema = toJsonSchema(configSchema, { target: 'draft-07', ignoreActions: ['finite'] });
  const properties = schema.properties as EditorSchema['properties'];
  const defaults: Partial<Record<keyof SaeConfig, unknown>> = { ...dataDefaults, ...trainingDefaults };
  for (const [key, property] of Object.entries(properties) as [keyof SaeConfig, JsonSchema][]) {
    Object.assign(property, key in defaults ? { default: defaults[key] } : {}, suggestions[key]);
  }
  properties.text = eitherOneOrMany(properties.text);
  return {
    ...schema,
    properties,
    title: 'Training of a sparse autoencoder',
    allOf: alternatives.map(atMostOne),
    defaultSnippets: beginnings,
  } as EditorSchema;
}

/** A list, or one of its items alone. */
function eitherOneOrMany({ description, examples, ...list }: JsonSchema): JsonSchema {
  return {
    anyOf: [list, list.items as JsonSchema],
    ...(description && { description }),
    ...(examples && { examples }),
  };
}
