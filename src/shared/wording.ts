import type { SaeConfig } from './config.js';
import type { JobStatus, Phase } from './events.js';
import { printable, whole } from './format.js';

/** The words in which every front end speaks of runs. */

export const phaseNames: Record<Phase, string> = {
  loading_model: 'Model',
  tokenizing: 'Text',
  extracting: 'Activations',
  training: 'Training',
  evaluating: 'Evaluation',
  features: 'Features',
  saving: 'Saving',
};

/** A badge: what it says, and its kind, from which front ends take a colour. */
export interface Badge {
  text: string;
  kind: 'starting' | 'progress' | 'completed' | 'failed' | 'paused' | 'cancelled' | 'interrupted';
}

export function badgeOf(status: JobStatus): Badge {
  switch (status) {
    case 'queued':
      return { text: 'queued', kind: 'starting' };
    case 'starting':
      return { text: 'starting', kind: 'starting' };
    case 'preparing':
    case 'training':
      return { text: 'in progress', kind: 'progress' };
    default:
      return { text: status, kind: status };
  }
}

/** What was trained, in one line: `topk · 4,096 latents · k 32 · blocks.2.hook_resid_post`. */
export function saeLine(config: SaeConfig): string {
  const { architecture = 'topk', latent_dim: latents, k, sparsity_coef: coefficient } = config;
  const sparsity = architecture === 'topk' ? k && `k ${k}` : coefficient !== undefined && `λ ${coefficient}`;
  const parts = [architecture, latents !== undefined && `${whole(latents)} latents`, sparsity, hookOf(config)];
  return parts.filter((part) => typeof part === 'string').join(' · ');
}

/** The hook point a configuration names, by its TransformerLens name. */
export function hookOf(config: SaeConfig): string | undefined {
  if (config.hook_name !== undefined) return printable(config.hook_name);
  return config.layer_idx === undefined ? undefined : `blocks.${config.layer_idx}.hook_resid_post`;
}

/** What activations are made of: the text, or the file they were recorded in. */
export function dataOf(config: SaeConfig): string | undefined {
  const data = config.activation_data_path ?? config.text?.join(', ');
  return data === undefined ? undefined : printable(data);
}

/** What a run is called: the name it was given, else what is trained: `layer 2 of demo-gpt2`. */
export function runName(config: SaeConfig): string {
  if (config.name !== undefined) return printable(config.name);
  const hook = hookOf(config);
  const layer = hook === undefined ? undefined : /^blocks\.(\d+)\.hook_resid_post$/.exec(hook)?.[1];
  const place = layer === undefined ? (hook ?? 'SAE') : `layer ${layer}`;
  const source = sourceOf(config);
  return source === undefined ? place : `${place} of ${source}`;
}

/** Where the activations come from, without folders: `demo-gpt2`, `activations.parquet`. */
function sourceOf({ model, activation_data_path: activations }: SaeConfig): string | undefined {
  const source = activations ?? model;
  return source === undefined ? undefined : shortName(source.replace(/^bundled:/, ''));
}

/** A file or folder by its own name; a model's graph file by that of its folder. What ships has no folders. */
export function shortName(file: string): string {
  const parts = file.split(/[\\/]/);
  return printable(parts.filter((part) => part !== '' && part !== 'onnx' && !part.endsWith('.onnx')).at(-1) ?? file);
}
