import type { StepShape } from '../../../../shared/memory.js';
import { denseStandardGraph } from '../../../sae/graphs.js';
import { createSession, ort } from '../../../ort.js';
import { chunkRows } from './encoder.js';
import type { Arrays } from './layout.js';

export interface DenseSums {
  /** Σ z over batch and latents. */
  l1: number;
  /** Active (row, latent) pairs. */
  active: number;
  /** Most active latents of any row. */
  mostActive: number;
  /** In how many rows each latent was active, [n]. */
  activePerLatent: Float64Array;
}

/**
 * The whole step of `standard` as one ONNX graph, for batches that are not sparse. Residuals and gradient rows land in the
 * kernels' memory; gradients add up over chunks, so that nothing of size B × n exists.
 */
export class DenseStep {
  readonly #session: ort.InferenceSession;
  readonly #arrays: Arrays;
  readonly #shape: StepShape;
  /** The parameters, in memory that ONNX Runtime can read. */
  readonly #encoder: Float32Array;
  readonly #decoder: Float32Array;

  private constructor(session: ort.InferenceSession, arrays: Arrays, shape: StepShape) {
    this.#session = session;
    this.#arrays = arrays;
    this.#shape = shape;
    this.#encoder = new Float32Array(shape.latents * shape.width);
    this.#decoder = new Float32Array(shape.latents * shape.width);
  }

  static async create(arrays: Arrays, shape: StepShape, threads: number): Promise<DenseStep> {
    const session = await createSession(denseStandardGraph(shape.width, shape.latents), threads);
    return new DenseStep(session, arrays, shape);
  }

  /** `sparsityCoef` is λ. Fills residual, denseEncoder, denseDecoder, denseSlot and the encoder bias gradient. */
  async run(sparsityCoef: number, between: () => Promise<void>): Promise<DenseSums> {
    const { width: d, latents: n, batch } = this.#shape;
    const a = this.#arrays;
    const sums: DenseSums = { l1: 0, active: 0, mostActive: 0, activePerLatent: new Float64Array(n) };
    a.denseEncoder.view.fill(0);
    a.denseDecoder.view.fill(0);
    this.#encoder.set(a.encoder.w.view);
    this.#decoder.set(a.decoder.w.view);
    const bias = a.encoderBias.w.view.slice();
    const chunk = chunkRows(n, batch);
    for (let from = 0; from < batch; from += chunk) {
      await between();
      const to = Math.min(batch, from + chunk);
      const rows = (view: Float32Array) => new ort.Tensor('float32', view.slice(from * d, to * d), [to - from, d]);
      const scalar = (value: number) => new ort.Tensor('float32', Float32Array.of(value), []);
      const out = await this.#session.run({
        xc: rows(a.xc.view),
        encoder: new ort.Tensor('float32', this.#encoder, [n, d]),
        decoder: new ort.Tensor('float32', this.#decoder, [n, d]),
        encoder_bias: new ort.Tensor('float32', bias, [n]),
        a: scalar(2 / batch),
        penalty: scalar(sparsityCoef / batch),
      });
      const data = (name: string) => out[name]!.data as Float32Array;
      a.residual.view.set(data('r'), from * d);
      addTo(a.denseEncoder.view, data('encoder_gradient'));
      addTo(a.denseDecoder.view, data('decoder_gradient'));
      addTo(a.encoderBias.gradient.view, data('bias_gradient'));
      sums.l1 += data('l1')[0]!;
      for (const count of data('active_per_row')) {
        sums.active += count;
        sums.mostActive = Math.max(sums.mostActive, count);
      }
      data('active_per_latent').forEach((count, i) => (sums.activePerLatent[i]! += count));
      for (const tensor of Object.values(out)) tensor.dispose();
    }
    for (let i = 0; i < n; i++) a.denseSlot.view[i] = i;
    return sums;
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}

function addTo(sum: Float32Array, part: Float32Array): void {
  for (let i = 0; i < part.length; i++) sum[i] = sum[i]! + part[i]!;
}
