import type { Architecture } from '../../../../shared/config.js';
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
