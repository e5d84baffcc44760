import type { ResolvedConfig } from '../../../../shared/config.js';
import type { StepOptions } from '../../../../shared/memory.js';

export interface CpuOptions extends StepOptions {
  threads: number;
  seed: number;
  clipNorm: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** α of AuxK; 0 leaves it out. */
  auxCoef: number;
  deadAfterTokens: number;
}

/** What a run's configuration says about its backend; `width` is d. */
export function cpuOptions(config: ResolvedConfig, width: number, threads: number): CpuOptions {
  return {
    architecture: config.architecture,
    width,
    latents: config.latent_dim,
    k: config.k,
    batch: config.batch_size,
    preselection: config.preselection,
    threads,
    seed: config.seed,
    clipNorm: config.clip_norm,
    beta1: config.adam_beta1,
    beta2: config.adam_beta2,
    epsilon: config.adam_epsilon,
    auxCoef: config.aux_coef,
    deadAfterTokens: config.dead_after_tokens,
  };
}
