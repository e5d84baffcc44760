import type { Architecture } from '../../shared/config.js';

/**
 * A trained SAE as plain data. Matrices are row-major with one row per latent:
 * z = act(W_e (x − b_d) + b_e), x̂ = Σ_i z_i d_i + b_d.
 */
export interface SaeWeights {
  architecture: Architecture;
  /** d, the width of the activations. */
  width: number;
  /** n */
  latents: number;
  /** Latents kept per row, for topk. */
  k?: number;
  /** W_e, [n, d] */
  encoder: Float32Array;
  /** W_d, [n, d]; row i is the decoder direction of latent i. */
  decoder: Float32Array;
  /** b_e, [n] */
  encoderBias: Float32Array;
  /** b_d, [d] */
  decoderBias: Float32Array;
}

/**
 * Weights trained on activations multiplied by `scale`, made to work on the model's own activations. The map is
 * homogeneous of degree one, so only the biases change; the matrices are shared, not copied.
 */
export function unscale(weights: SaeWeights, scale: number): SaeWeights {
  const divide = (bias: Float32Array) => new Float32Array(bias).map((value) => value / scale);
  return {
    ...weights,
    encoderBias: divide(weights.encoderBias),
    decoderBias: divide(weights.decoderBias),
  };
}
