import type { Evaluation } from '../../shared/messages.js';
import type { Control } from '../control.js';
import { reconstructBlocks, type PlacedRows } from './blocks.js';
import { crossEntropy, type LanguageModel } from './loss-recovered.js';
import { ReconstructionMetrics, type Inference } from './metrics.js';

export interface EvaluationRequest {
  /** The SAE, in the units of the blocks. */
  inference: Inference;
  /** d */
  width: number;
  /** n */
  latents: number;
  /** The activations to evaluate on. */
  blocks: AsyncIterable<PlacedRows>;
  /** Null where there is no language model, with the reason in `notes.cross_entropy`. */
  language: LanguageModel | null;
  /** Latents that fired on no token of the last training epoch; null where that is not known. */
  deadFeatures: number | null;
  /** What is evaluated, for people. */
  text: string;
  /** Why something is missing, by metric, where the caller knows better than this function. */
  notes?: Record<string, string>;
  control: Control;
  /** Tokens reconstructed so far, then the part of the cross entropies done. */
  onProgress?: (progress: { tokens: number; crossEntropy: number }) => void;
}

const units = {
  tokens: 'tokens',
  explained_variance: 'fraction of the variance',
  fvu: 'fraction of the variance',
  l0: 'active latents per token',
  dead_features: 'latents',
  dead_fraction: 'fraction of the latents',
  cosine: 'cosine',
  l2_ratio: 'ratio of norms',
  mse: 'squared activation, mean over tokens and dimensions',
  cross_entropy: 'nats per token',
  loss_recovered: 'fraction of the loss',
  loss_recovered_mean: 'fraction of the loss',
  density: 'log10 of the fraction of tokens a latent fires on',
} as const;

const reasons: Record<string, string> = {
  explained_variance: 'The activations evaluated do not vary.',
  fvu: 'The activations evaluated do not vary.',
  cosine: 'All activations evaluated are zero.',
  l2_ratio: 'All activations evaluated are zero.',
  cross_entropy: 'The language model’s loss is not finite on this text.',
};

const training: Record<string, string> = {
  dead_features: 'No training run is at hand.',
  dead_fraction: 'No training run is at hand.',
};

/** A reason for every metric that is null. */
function explain(values: Omit<Evaluation, 'units' | 'notes' | 'text'>, tokens: number): Record<string, string> {
  const missing = Object.entries(values).filter(([, value]) => value === null);
  const notes = missing.map(([name]) => {
    const reason = training[name] ?? (tokens === 0 ? 'There is no text to evaluate on.' : reasons[name]);
    return [name, reason ?? 'It is not finite on this text.'] as const;
  });
  if (values.cross_entropy?.loss_recovered === null) {
    notes.push(['loss_recovered', 'Zeroing this hook point does not change the loss.']);
  }
  if (values.cross_entropy?.loss_recovered_mean === null) {
    notes.push(['loss_recovered_mean', 'Putting the mean at this hook point does not change the loss.']);
  }
  return Object.fromEntries(notes);
}

/**
 * Evaluates a trained SAE on activations and, where the language model is at hand, by splicing it into the model.
 * Definitions: `ReconstructionMetrics` and `crossEntropy`. Every value that cannot be known is null with a reason.
 */
export async function evaluateSae(request: EvaluationRequest): Promise<Evaluation> {
  const { inference, width, latents, language, control, deadFeatures } = request;
  const report = request.onProgress ?? (() => undefined);
  const metrics = new ReconstructionMetrics(width, latents);
  let tokens = 0;
  for await (const { rows, count, codes } of reconstructBlocks(inference, width, request.blocks, control)) {
    metrics.add(rows, count, codes);
    tokens += count;
    report({ tokens, crossEntropy: 0 });
  }
  const progress = (fraction: number) => {
    report({ tokens, crossEntropy: fraction });
  };
  const measured = language ? await crossEntropy(language, inference, metrics.mean(), control, progress) : null;
  const cross = tokens > 0 ? measured : null;
  const result = metrics.result();
  const values = {
    ...result,
    dead_features: deadFeatures,
    dead_fraction: deadFeatures === null ? null : deadFeatures / latents,
    cross_entropy: cross,
  };
  const notes = { ...explain(values, tokens), ...request.notes };
  return { ...values, units, notes, text: request.text };
}
