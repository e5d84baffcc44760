import type { ResolvedConfig } from '../../shared/config.js';
import { bytesNeeded } from '../activations/disk-space.js';
import type { StoreType } from '../activations/shard.js';

/** How much there is to train on. */
export interface Amounts {
  /** Training rows of one epoch, and rows held out. */
  train: number;
  heldOut: number;
  /** Whether they were counted; else they are estimated from a sample. */
  exact: boolean;
  /** Token ids of the text; 0 for recorded activations. */
  textTokens: number;
}

/** Checkpoints that are on the disk at once: two that are kept, and one that is being written. */
const mostCheckpoints = 3;
/** Bytes of a latent in the files of features: its ten examples with their text, compressed, and its statistics. */
const featureBytes = 1100;

/** Most bytes on the disk at once: at the end the activations and checkpoints are still there beside the results. */
export function diskBytes(
  config: ResolvedConfig,
  width: number,
  amounts: Amounts,
  cache: StoreType | 'none',
  trainingSeconds: number,
): number {
  const { latent_dim: latents, checkpoint_seconds: interval } = config;
  const parameters = 2 * latents * width + latents + width;
  const checkpoints = Math.min(mostCheckpoints, 1 + Math.floor(trainingSeconds / Math.max(interval, 1)));
  const buffer = Math.min(config.shuffle_buffer_tokens, amounts.train);
  return (
    4 * amounts.textTokens +
    (cache === 'none' ? 0 : bytesNeeded(amounts.train + amounts.heldOut, width, cache)) +
    checkpoints * 4 * (3 * parameters + 2 * latents + buffer) +
    4 * parameters +
    (config.feature_tokens > 0 ? featureBytes * latents : 0)
  );
}
