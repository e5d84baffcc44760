import type { SaeConfig } from '../../shared/config.js';
import { printable, unknown, whole } from '../../shared/format.js';
import type { RunState } from '../../shared/panel.js';
import { hookOf } from '../../shared/wording.js';
import type { Column, Value } from './column.js';

interface Setting {
  label: string;
  value: (config: SaeConfig) => Value | undefined;
}

/** The settings that say what was trained on what; in this order. */
const settings: Record<string, Setting> = {
  model: { label: 'Model', value: ({ model }) => model },
  hook: { label: 'Hook point', value: hookOf },
  text: { label: 'Text', value: ({ text, activation_data_path: recorded }) => recorded ?? text?.join(', ') },
  architecture: { label: 'Architecture', value: ({ architecture = 'topk' }) => architecture },
  latent_dim: { label: 'Latents', value: ({ latent_dim: latents }) => latents },
  k: { label: 'k', value: ({ architecture = 'topk', k }) => (architecture === 'topk' ? k : null) },
  sparsity_coef: {
    label: 'λ',
    value: ({ architecture = 'topk', sparsity_coef: weight }) => (architecture === 'topk' ? null : weight),
  },
  learning_rate: { label: 'Learning rate', value: ({ learning_rate: rate }) => rate },
  batch_size: { label: 'Batch size', value: ({ batch_size: size }) => size },
  max_epochs: { label: 'Epochs', value: ({ max_epochs: epochs }) => epochs },
  seed: { label: 'Seed', value: ({ seed }) => seed },
};

/** Keys that the settings above stand for, and those that change nothing in what is trained. */
const omitted: readonly string[] = [
  ...Object.keys(settings),
  ...['layer_idx', 'hook_name', 'activation_data_path'],
  ...['$schema', 'name', 'output_dir', 'provenance', 'threads', 'checkpoint_seconds', 'log_every_steps'],
];

/** How the configurations of runs agree and differ. */
export interface Configuration {
  /** The settings in which all runs agree. */
  same: { label: string; text: string }[];
  /** One for each key in which they differ. */
  columns: Column[];
}

export function compareConfigurations(runs: readonly RunState[]): Configuration {
  const others = [...new Set(runs.flatMap(({ config }) => Object.keys(config)))].filter(
    (key) => !omitted.includes(key),
  );
  const all: [string, Setting][] = [
    ...Object.entries(settings),
    ...others.sort().map((key): [string, Setting] => [key, { label: key, value: (config) => plain(config, key) }]),
  ];
  const result: Configuration = { same: [], columns: [] };
  for (const [key, setting] of all) {
    const value = ({ config }: RunState) => setting.value(config) ?? null;
    const first = runs[0] ? value(runs[0]) : null;
    if (runs.some((run) => value(run) !== first)) {
      result.columns.push({ key, label: setting.label, definition: '', value, text, better: null });
    } else if (first !== null && key in settings) {
      result.same.push({ label: setting.label, text: text(first) });
    }
  }
  return result;
}

/** Whether runs are measured on the same activations, so that their held-out metrics can be ranked. */
export function comparable({ columns }: Configuration): boolean {
  return !columns.some(({ key }) => ['model', 'hook', 'text'].includes(key));
}

function plain(config: SaeConfig, key: string): Value {
  const value = (config as Record<string, unknown>)[key] ?? null;
  return typeof value === 'number' || value === null
    ? value
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}

function text(value: Value): string {
  if (value === null) return unknown;
  if (typeof value === 'string') return printable(value);
  return Number.isInteger(value) ? whole(value) : String(Number(value.toPrecision(4)));
}
