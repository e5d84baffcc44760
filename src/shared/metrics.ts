import type { Metrics } from './events.js';
import { compact, fixed, real, unknown, whole } from './format.js';
import type { Evaluation } from './messages.js';

/** How each metric is called, measured and written, wherever a person sees it. */

export interface Metric {
  label: string;
  /** Empty where the number has none. */
  unit: string;
  definition: string;
  /** Null where neither more nor less is better in itself. */
  better: 'lower' | 'higher' | null;
  format: (value: number | null | undefined) => string;
}

const loss = 'squared activation';

/** What is told while a run trains. */
export const trainingMetrics: Record<keyof Metrics | 'tokens_per_second', Metric> = {
  train_loss: {
    label: 'Loss',
    unit: loss,
    definition:
      'What training makes small: reconstruction loss + sparsity loss + AuxK loss, mean over the batch. Activations are scaled so that their mean squared norm is the width.',
    better: 'lower',
    format: real,
  },
  reconstruction_loss: {
    label: 'Reconstruction loss',
    unit: loss,
    definition: '‖x̂ − x‖², summed over dimensions, mean over the batch.',
    better: 'lower',
    format: real,
  },
  sparsity_loss: {
    label: 'Sparsity loss',
    unit: loss,
    definition: 'λ · Σ z, mean over the batch; already weighted. Zero for topk, which is sparse by construction.',
    better: null,
    format: real,
  },
  aux_loss: {
    label: 'AuxK loss',
    unit: loss,
    definition: 'How well dead latents explain the error that is left; already weighted. It revives dead latents.',
    better: null,
    format: real,
  },
  l0: {
    label: 'L0',
    unit: 'active latents per token',
    definition: 'Mean number of latents with z > 0 per token.',
    better: null,
    format: (value) => fixed(value, 2),
  },
  explained_variance: {
    label: 'Explained variance',
    unit: 'fraction of the variance',
    definition: '1 − Σ‖x − x̂‖² / Σ‖x − x̄‖²: 1 is a perfect reconstruction, 0 is no better than the mean.',
    better: 'higher',
    format: (value) => fixed(value, 4),
  },
  dead_features: {
    label: 'Dead latents',
    unit: 'latents',
    definition: 'Latents that fired on none of the last tokens (dead_after_tokens of the configuration).',
    better: 'lower',
    format: whole,
  },
  tokens_per_second: {
    label: 'Speed',
    unit: 'tokens/s',
    definition: 'Tokens per second of the phase: read, recorded or trained on.',
    better: 'higher',
    format: compact,
  },
  learning_rate: {
    label: 'Learning rate',
    unit: '',
    definition: 'Of this step: it warms up, stays, and falls to 0 at the end.',
    better: null,
    format: (value) => (value === null || value === undefined ? unknown : String(Number(value.toPrecision(3)))),
  },
  gradient_norm: {
    label: 'Gradient norm',
    unit: '',
    definition: 'Norm of all gradients together, before clipping.',
    better: null,
    format: real,
  },
};

/** A metric measured on text that was held out of training. */
export interface HeldOutMetric extends Metric {
  /** Its name in `evaluation.json`. */
  key: string;
  value: (evaluation: Evaluation) => number | null;
  /** The training metric that says the same of the training text. */
  training?: keyof Metrics;
}

const entropy = (key: string, label: string, definition: string, better: Metric['better'] = null): HeldOutMetric => ({
  key,
  label,
  unit: 'nats per token',
  definition,
  better,
  format: (value) => fixed(value, 3),
  value: (evaluation) => evaluation.cross_entropy?.[key as 'clean' | 'sae' | 'mean' | 'zero'] ?? null,
});

/** What an evaluation holds, the most telling first. */
export const heldOutMetrics: readonly HeldOutMetric[] = [
  {
    ...trainingMetrics.explained_variance,
    key: 'explained_variance',
    value: (evaluation) => evaluation.explained_variance,
    training: 'explained_variance',
  },
  { ...trainingMetrics.l0, key: 'l0', value: (evaluation) => evaluation.l0, training: 'l0' },
  {
    key: 'loss_recovered',
    label: 'Loss recovered',
    unit: 'fraction of the loss',
    definition:
      '(CE zero − CE SAE) / (CE zero − CE model): how much of what the language model loses when this hook point is zeroed the SAE gives back.',
    better: 'higher',
    format: (value) => fixed(value, 4),
    value: (evaluation) => evaluation.cross_entropy?.loss_recovered ?? null,
  },
  {
    key: 'loss_recovered_mean',
    label: 'Loss recovered, against the mean',
    unit: 'fraction of the loss',
    definition: '(CE mean − CE SAE) / (CE mean − CE model): the same against putting the mean at the hook point.',
    better: 'higher',
    format: (value) => fixed(value, 4),
    value: (evaluation) => evaluation.cross_entropy?.loss_recovered_mean ?? null,
  },
  entropy('sae', 'Cross entropy with the SAE', 'The language model’s loss with the SAE spliced in.', 'lower'),
  entropy('clean', 'Cross entropy of the model', 'The language model’s loss as it is.'),
  entropy('mean', 'Cross entropy, mean ablation', 'The language model’s loss with the mean at the hook point.'),
  entropy('zero', 'Cross entropy, zero ablation', 'The language model’s loss with zeros at the hook point.'),
  {
    ...trainingMetrics.dead_features,
    key: 'dead_features',
    definition: 'Latents that fired on no token of the last training epoch.',
    value: (evaluation) => evaluation.dead_features,
    training: 'dead_features',
  },
  {
    key: 'cosine',
    label: 'Cosine',
    unit: '',
    definition: 'Mean cosine of x and x̂.',
    better: 'higher',
    format: (value) => fixed(value, 4),
    value: (evaluation) => evaluation.cosine,
  },
  {
    key: 'l2_ratio',
    label: 'Norm ratio',
    unit: '',
    definition: 'Mean ‖x̂‖ / ‖x‖: below 1 the reconstruction shrinks.',
    better: null,
    format: (value) => fixed(value, 4),
    value: (evaluation) => evaluation.l2_ratio,
  },
  {
    key: 'mse',
    label: 'Mean squared error',
    unit: loss,
    definition: '(x̂ − x)², mean over tokens and dimensions, in the model’s own units.',
    better: 'lower',
    format: real,
    value: (evaluation) => evaluation.mse,
  },
];

const ofLanguageModel = ['loss_recovered', 'loss_recovered_mean', 'clean', 'sae', 'mean', 'zero'];

/** Why an evaluation has no value for a metric; undefined where it has one. */
export function whyMissing(metric: HeldOutMetric, evaluation: Evaluation): string | undefined {
  if (metric.value(evaluation) !== null) return undefined;
  const { notes } = evaluation;
  return notes[metric.key] ?? (ofLanguageModel.includes(metric.key) ? notes.cross_entropy : undefined);
}
