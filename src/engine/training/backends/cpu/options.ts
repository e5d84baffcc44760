import type { Architecture, ResolvedConfig } from '../../../../shared/config.js';
import { mostDead } from './aux-k.js';
import { trainingBytes, type Shape } from './layout.js';

export interface CpuOptions {
  architecture: Architecture;
  width: number;
  latents: number;
  k: number;
  batch: number;
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

/** Most active latents of a row that the sparse path takes; above it a dense step is cheaper. */
const sparseCap = 256;

export function cpuShape(options: Pick<CpuOptions, 'architecture' | 'width' | 'latents' | 'k' | 'batch'>): Shape {
  const { architecture, width, latents, k, batch } = options;
  return architecture === 'topk'
    ? { width, latents, batch, cap: k, dense: Math.min(mostDead, latents) }
    : { width, latents, batch, cap: Math.min(sparseCap, latents), dense: latents };
}

/** Bytes of parameters, moments and step buffers that training with these options takes. */
export function cpuBytes(options: Pick<CpuOptions, 'architecture' | 'width' | 'latents' | 'k' | 'batch'>): number {
  return trainingBytes(cpuShape(options));
}
