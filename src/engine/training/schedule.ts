import type { ResolvedConfig } from '../../shared/config.js';

/** Learning rate of step t (from 0): linear warm-up over w steps, linear to 0 over the last part of the run. */
export function learningRate(config: ResolvedConfig, t: number, steps: number): number {
  const warmUp = Math.min(1, (t + 1) / Math.max(1, config.lr_warmup_steps));
  const decaySteps = config.lr_decay_fraction * steps;
  const decay = decaySteps > 0 ? Math.min(1, (steps - t) / decaySteps) : 1;
  return config.learning_rate * warmUp * decay;
}

/** λ of step t (from 0): rises linearly from 0 over the first 5 % of the run. */
export function sparsityCoef(config: ResolvedConfig, t: number, steps: number): number {
  return config.sparsity_coef * Math.min(1, t / Math.max(1, 0.05 * steps));
}
