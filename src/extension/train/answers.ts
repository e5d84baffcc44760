import * as v from 'valibot';
import { architectures, parseConfig, type SaeConfig } from '../../shared/config.js';

/** What is said in the steps of "Train SAE". */

export const demoModel = 'bundled:demo-gpt2';
export const sampleText = 'bundled:sample';

const hookSchema = v.object({
  name: v.string(),
  layer: v.nullable(v.number()),
  /** Null for a tensor that the engine did not list. */
  width: v.nullable(v.number()),
});

const sourceSchema = v.variant('kind', [
  v.object({
    kind: v.literal('text'),
    /** Absolute paths and bundled names. */
    names: v.array(v.string()),
    /** What the person asked for, where that was a pattern. */
    glob: v.optional(v.string()),
  }),
  v.object({
    kind: v.literal('activations'),
    file: v.string(),
    /** Of a file of several layers, where there is no hook point to say it; null for a file of one. */
    layer: v.optional(v.nullable(v.number())),
  }),
]);

export const answersSchema = v.object({
  /** A folder, an .onnx file or a bundled name; null to train on recorded activations alone. */
  model: v.optional(v.nullable(v.string())),
  hook: v.optional(hookSchema),
  source: v.optional(sourceSchema),
  architecture: v.optional(v.picklist(architectures)),
  /** Null leaves it to the engine, which knows the width. */
  latents: v.optional(v.nullable(v.number())),
  k: v.optional(v.number()),
  coefficient: v.optional(v.number()),
});

export type Answers = v.InferOutput<typeof answersSchema>;
export type Hook = v.InferOutput<typeof hookSchema>;
export type Source = v.InferOutput<typeof sourceSchema>;

/** The answers with some of them changed; what was said about something else by that is forgotten. */
export function change(answers: Answers, changes: Answers): Answers {
  const next = { ...answers, ...changes };
  if (changes.model !== undefined && changes.model !== answers.model) {
    delete next.hook;
    delete next.latents;
    if (changes.model === null && next.source?.kind === 'text') delete next.source;
  }
  if (changes.hook && changes.hook.width !== answers.hook?.width) delete next.latents;
  if (typeof next.latents === 'number' && next.k !== undefined && next.k > next.latents) delete next.k;
  return next;
}

/** What the answers have so far as a configuration; every other setting keeps its default. */
export function toConfig({ model, hook, source, architecture, latents, k, coefficient }: Answers): SaeConfig {
  const config: SaeConfig = {
    ...(typeof model === 'string' ? { model } : {}),
    ...(hook ? placeOf(hook) : {}),
    ...(source?.kind === 'text' ? { text: source.names } : {}),
    ...(source?.kind === 'activations' ? { activation_data_path: source.file } : {}),
    ...(source?.kind === 'activations' && !hook && typeof source.layer === 'number' ? { layer_idx: source.layer } : {}),
    ...(architecture === undefined ? {} : { architecture }),
    ...(typeof latents === 'number' ? { latent_dim: latents } : {}),
    ...(architecture === 'topk' && k !== undefined ? { k } : {}),
    ...(architecture === 'standard' && coefficient !== undefined ? { sparsity_coef: coefficient } : {}),
  };
  return parseConfig(config, 'The configuration');
}

/** The shorter of the two ways to name a hook point. */
function placeOf({ name, layer }: Hook): SaeConfig {
  return layer !== null && name === `blocks.${layer}.hook_resid_post` ? { layer_idx: layer } : { hook_name: name };
}

/** The files and folders that answers name. */
export function pathsOf({ model, source }: Pick<Answers, 'model' | 'source'>): string[] {
  const named = source?.kind === 'activations' ? [source.file] : (source?.names ?? []);
  return [...(typeof model === 'string' ? [model] : []), ...named].filter((name) => !name.startsWith('bundled:'));
}
