import type { SaeWeights } from '../sae/weights.js';
import type { Tensor } from '../sae/formats/safetensors.js';

/** What a training step measures; losses are means over the batch of sums over dimensions, already weighted. */
export interface StepResult {
  reconstructionLoss: number;
  sparsityLoss: number;
  auxLoss: number;
  /** Mean number of latents with z > 0 per token. */
  l0: number;
  /** Norm of all gradients together before clipping. */
  gradientNorm: number;
  /** Latents that fired on none of the last `dead_after_tokens` tokens. */
  dead: number;
}

/** Constants of a run, from its first activations (see normalisation.ts). */
export interface Normalisation {
  /** s with E‖s·x‖² = d. */
  scale: number;
  /** V = E‖x − x̄‖² in training units. */
  variance: number;
  /** Initial b_d, [d], in training units: the geometric median. */
  center: Float32Array;
}

/** Where the parameters live and how a step is computed. Everything else about training is the loop's. */
export interface TrainingBackend {
  /** The next batch, [B, d], in the model's units: written before `step`, overwritten by it. */
  readonly input: Float32Array;
  /**
   * One training step. `between` runs between chunks of work and may throw: then no parameter, moment or counter has moved.
   */
  step(learningRate: number, sparsityCoef: number, between: () => Promise<void>): Promise<StepResult>;
  /** The run's s and V, part of `tensors`: set once at its start. */
  constants: { scale: number; variance: number };
  /** Starts counting anew which latents fire: at the start of a whole epoch. */
  startEpoch(): void;
  /** How often each latent fired since `startEpoch`, [n]. */
  readonly fired: Uint32Array;
  /** Everything a checkpoint must hold, as views. */
  readonly tensors: Record<string, Tensor>;
  /** The parameters in training units, as views. */
  readonly weights: SaeWeights;
  /** Ends sessions and threads; parameters and counters can still be read. */
  dispose(): Promise<void>;
}
