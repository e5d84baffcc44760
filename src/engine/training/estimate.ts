import type { ResolvedConfig } from '../../shared/config.js';
import type { Progress } from '../progress.js';
import type { TrainingData } from './data.js';

/** Part of a training step that encoding alone takes. */
const encoding = 0.6;
/** Forward passes of the whole model per token of the cross entropies: clean, SAE, zero, mean, and the activations. */
const arms = 5;

/** Bytes of weights written per second. */
const writing = 1e8;

/** How much there is to do after training. */
export interface FinishWork {
  /** Tokens evaluated, and of these those with cross entropies. */
  heldOut: number;
  language: number;
  /** Tokens searched for examples. */
  features: number;
  /** Values in the two weight matrices. */
  weights: number;
}

/** `rows` are those trained on and held out; `language` says whether a model is at hand. */
export function finishWork(
  config: ResolvedConfig,
  width: number,
  rows: { train: number; heldOut: number },
  language: boolean,
): FinishWork {
  return {
    heldOut: Math.min(config.evaluation_tokens, rows.heldOut),
    language: language ? Math.min(config.cross_entropy_tokens, rows.heldOut) : 0,
    features: Math.min(config.feature_tokens, rows.train),
    weights: 2 * config.latent_dim * width,
  };
}

/**
 * Seconds of the phases after training, from those that training takes per token: evaluation and features encode their tokens;
 * a pass of a small language model costs about as much as a training token.
 */
export function finishSeconds({ heldOut, language, features, weights }: FinishWork, secondsPerToken: number) {
  return {
    evaluating: secondsPerToken * (encoding * heldOut + arms * language),
    features: secondsPerToken * encoding * features,
    saving: 1 + (4 * weights) / writing,
  };
}

/**
 * What tells the progress how long what follows training will take, from the seconds that training takes per token. Counts the
 * tokens once: there may be millions of groups, and training asks at every step.
 */
export function finishEstimate(progress: Progress, data: TrainingData): (secondsPerToken: number) => void {
  const rows = (groups: Uint32Array) => groups.reduce((sum, group) => sum + data.rowCount(group), 0);
  const counted = { train: rows(data.trainGroups), heldOut: rows(data.heldOutGroups) };
  const work = finishWork(data.config, data.source.width, counted, data.language !== null);
  return (secondsPerToken) => {
    const { evaluating, features, saving } = finishSeconds(work, secondsPerToken);
    progress.expect('evaluating', evaluating);
    progress.expect('features', features);
    progress.expect('saving', saving);
  };
}
