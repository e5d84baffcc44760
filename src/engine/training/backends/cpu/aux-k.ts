import type { StepShape } from '../../../../shared/memory.js';
import { auxKGraph } from '../../../sae/graphs.js';
import { createSession, ort } from '../../../ort.js';
import { Random } from '../../../random.js';
import type { Arrays } from './layout.js';

/** Rows of a run of the graph: what it computes is as wide as there are dead latents. */
const chunkRows = 1024;

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
  /** What ONNX Runtime reads and writes, which must be no memory that threads share. */
  #rows = new Float32Array(0);
  #chunk: { xc: Float32Array; residual: Float32Array } | undefined;

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
    // one buffer for both gathered matrices, their gradients and the biases
    if (this.#rows.length < 4 * size + chosen.length) this.#rows = new Float32Array(4 * size + chosen.length);
    const part = (i: number) => this.#rows.subarray(i * size, (i + 1) * size);
    const [encoder, decoder, encoderGradient, decoderGradient] = [part(0), part(1), part(2), part(3)];
    const bias = this.#rows.subarray(4 * size, 4 * size + chosen.length);
    const arrays = this.#arrays;
    const chunk = Math.min(chunkRows, batch);
    const { xc, residual } = (this.#chunk ??= {
      xc: new Float32Array(chunk * d),
      residual: new Float32Array(chunk * d),
    });
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
    const allEncoder = arrays.denseEncoder.view.subarray(0, size).fill(0);
    const allDecoder = arrays.denseDecoder.view.subarray(0, size).fill(0);
    const allBias = new Float32Array(D);
    let allLoss = 0;
    for (let from = 0; from < batch; from += chunk) {
      const rows = Math.min(chunk, batch - from);
      xc.set(arrays.xc.view.subarray(from * d, (from + rows) * d));
      residual.set(arrays.residual.view.subarray(from * d, (from + rows) * d));
      await session.run(
        {
          xc: matrix(xc.subarray(0, rows * d), rows),
          r: matrix(residual.subarray(0, rows * d), rows),
          encoder: matrix(encoder, D),
          decoder: matrix(decoder, D),
          encoder_bias: new ort.Tensor('float32', bias, [D]),
          a: new ort.Tensor('float32', Float32Array.of((2 * weight) / batch), []),
          ...(select ? { k_aux: new ort.Tensor('int64', BigInt64Array.of(BigInt(most)), [1]) } : {}),
        },
        {
          loss: new ort.Tensor('float32', loss, []),
          encoder_gradient: matrix(encoderGradient, D),
          decoder_gradient: matrix(decoderGradient, D),
          bias_gradient: new ort.Tensor('float32', biasGradient, [D]),
        },
      );
      add(allEncoder, encoderGradient);
      add(allDecoder, decoderGradient);
      add(allBias, biasGradient);
      allLoss += loss[0]!;
    }
    chosen.forEach((latent, slot) => {
      arrays.denseSlot.view[latent] = slot;
      arrays.encoderBias.gradient.view[latent] = allBias[slot]!;
    });
    return (weight * allLoss) / batch;
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

function add(sums: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + values[i]!;
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
