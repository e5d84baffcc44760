import type { Progress } from '../progress.js';
import type { TrainingData } from './data.js';

/** Part of a training step that encoding alone takes. */
const encoding = 0.6;
/** Forward passes of the whole model per token of the cross entropies: clean, SAE, zero, mean, and the activations. */
const arms = 5;

/** Bytes of weights written per second. */
const writing = 1e8;

/**
 * What tells the progress how long what follows training will take, from the seconds that training takes per token: evaluation
 * and features encode their tokens; a pass of a small language model costs about as much as a training token. Counts the
 * tokens once: there may be millions of groups, and training asks at every step.
 */
export function finishEstimate(progress: Progress, data: TrainingData): (secondsPerToken: number) => void {
  const { evaluation_tokens, cross_entropy_tokens, feature_tokens, latent_dim } = data.config;
  const rows = (groups: Uint32Array, most: number) =>
    Math.min(
      most,
      groups.reduce((sum, group) => sum + data.rowCount(group), 0),
    );
  const held = rows(data.heldOutGroups, evaluation_tokens);
  const language = data.language ? rows(data.heldOutGroups, cross_entropy_tokens) : 0;
  const features = rows(data.trainGroups, feature_tokens);
  const saving = 1 + (8 * latent_dim * data.source.width) / writing;
  return (secondsPerToken) => {
    progress.expect('evaluating', secondsPerToken * (encoding * held + arms * language));
    progress.expect('features', secondsPerToken * encoding * features);
    progress.expect('saving', saving);
  };
}
