import type { StepShape } from '../../../../shared/memory.js';
import { auxKGraph } from '../../../sae/graphs.js';
import { createSession, ort } from '../../../ort.js';
import { Random } from '../../../random.js';
import type { Arrays } from './layout.js';

/**
 * AuxK: dead latents reconstruct what the others left over. One small dense graph over the gathered dead rows; its gradient
 * rows start those latents' sums. Gao et al. 2024, §A.2.
 */
export class AuxK {
  readonly #arrays: Arrays;
  readonly #shape: StepShape;
  readonly #threads: number;
  readonly #seed: number;
  readonly #sessions = new Map<boolean, ort.InferenceSession>();
  #rows = new Float32Array(0);

  constructor(arrays: Arrays, shape: StepShape, threads: number, seed: number) {
    this.#arrays = arrays;
    this.#shape = shape;
    this.#threads = threads;
    this.#seed = seed;
  }

  /**
   * Adds the gradients of L_aux = α·min(|dead|/(d/2), 1)·(V/V_e)·mean ‖ê − e‖² to the dense rows and returns L_aux.
   * `weight` is its factor before the mean; `step` seeds the subset.
   */
  async run(dead: readonly number[], weight: number, step: number): Promise<number> {
    const { width: d, batch } = this.#shape;
    const chosen = subset(dead, this.#shape.dense, this.#seed, step);
    const most = Math.min(Math.floor(d / 2), dead.length);
    const select = chosen.length > most;
    const size = chosen.length * d;
    // one buffer for both gathered matrices and the biases
    if (this.#rows.length < 2 * size + chosen.length) this.#rows = new Float32Array(2 * size + chosen.length);
    const encoder = this.#rows.subarray(0, size);
    const decoder = this.#rows.subarray(size, 2 * size);
    const bias = this.#rows.subarray(2 * size, 2 * size + chosen.length);
    const arrays = this.#arrays;
    chosen.forEach((latent, slot) => {
      encoder.set(arrays.encoder.w.view.subarray(latent * d, (latent + 1) * d), slot * d);
      decoder.set(arrays.decoder.w.view.subarray(latent * d, (latent + 1) * d), slot * d);
      bias[slot] = arrays.encoderBias.w.view[latent]!;
    });
    const matrix = (data: Float32Array, rows: number) => new ort.Tensor('float32', data, [rows, d]);
    const D = chosen.length;
    const biasGradient = new Float32Array(D);
    const loss = new Float32Array(1);
    const session = await this.#session(select);
    await session.run(
      {
        xc: matrix(arrays.xc.view, batch),
        r: matrix(arrays.residual.view, batch),
        encoder: matrix(encoder, D),
        decoder: matrix(decoder, D),
        encoder_bias: new ort.Tensor('float32', bias, [D]),
        a: new ort.Tensor('float32', Float32Array.of((2 * weight) / batch), []),
        ...(select ? { k_aux: new ort.Tensor('int64', BigInt64Array.of(BigInt(most)), [1]) } : {}),
      },
      {
        loss: new ort.Tensor('float32', loss, []),
        encoder_gradient: matrix(arrays.denseEncoder.view.subarray(0, size), D),
        decoder_gradient: matrix(arrays.denseDecoder.view.subarray(0, size), D),
        bias_gradient: new ort.Tensor('float32', biasGradient, [D]),
      },
    );
    chosen.forEach((latent, slot) => {
      arrays.denseSlot.view[latent] = slot;
      arrays.encoderBias.gradient.view[latent] = biasGradient[slot]!;
    });
    return (weight * loss[0]!) / batch;
  }

  async #session(select: boolean): Promise<ort.InferenceSession> {
    let session = this.#sessions.get(select);
    if (!session) {
      session = await createSession(auxKGraph(this.#shape.width, select), this.#threads);
      this.#sessions.set(select, session);
    }
    return session;
  }

  async dispose(): Promise<void> {
    for (const session of this.#sessions.values()) await session.release();
  }
}

/** `most` of the dead latents, ascending, chosen anew each step; all of them if there are no more. */
function subset(dead: readonly number[], most: number, seed: number, step: number): readonly number[] {
  if (dead.length <= most) return dead;
  const random = new Random(seed, `aux ${step}`);
  const pool = [...dead];
  for (let i = 0; i < most; i++) {
    const j = i + random.below(pool.length - i);
    [pool[i], pool[j]] = [pool[j]!, pool[i]!];
  }
  return pool.slice(0, most).sort((a, b) => a - b);
}
