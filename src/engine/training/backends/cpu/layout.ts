import { loadKernels, type Kernels } from '../../../kernels/kernels.js';
import { MemoryPlan } from '../../../kernels/memory.js';

/** Sums over latents or rows are cut into this many fixed blocks, so that results do not depend on who computes them. */
export const blocks = 64;

export interface Shape {
  /** d */
  width: number;
  /** n */
  latents: number;
  /** B */
  batch: number;
  /** Most entries of a row that take the sparse path. */
  cap: number;
  /** Most latents with dense gradient rows. */
  dense: number;
}

function reserve(plan: MemoryPlan, { width: d, latents: n, batch, cap, dense }: Shape) {
  const matrix = () => ({ w: plan.float32(n * d), m: plan.float32(n * d), v: plan.float32(n * d) });
  const vector = (length: number) => ({
    w: plan.float32(length),
    m: plan.float32(length),
    v: plan.float32(length),
    gradient: plan.float32(length),
  });
  return {
    encoder: matrix(),
    decoder: matrix(),
    encoderBias: vector(n),
    decoderBias: vector(d),
    /** Activations of the batch, centred: x_c. */
    xc: plan.float32(batch * d),
    /** x̂ − x */
    residual: plan.float32(batch * d),
    values: plan.float32(batch * cap),
    indices: plan.int32(batch * cap),
    preActivationGradient: plan.float32(batch * cap),
    counts: plan.int32(batch),
    sums: plan.float64(batch),
    squaredError: plan.float64(batch),
    starts: plan.int32(n + 1),
    entryRows: plan.int32(batch * cap),
    entryValues: plan.float32(batch * cap),
    entryGradients: plan.float32(batch * cap),
    /** Row of the dense gradients that a latent's sums start from, or −1. */
    denseSlot: plan.int32(n),
    denseEncoder: plan.float32(dense * d),
    denseDecoder: plan.float32(dense * d),
    scratch: plan.float32(2 * d),
    norms: plan.float64(n),
    blockSums: plan.float32(blocks * d),
  };
}

export type Arrays = ReturnType<typeof reserve>;

/** Bytes of WebAssembly memory that training at this shape takes. */
export function trainingBytes(shape: Shape): number {
  const plan = new MemoryPlan();
  reserve(plan, shape);
  return plan.bytes;
}

/** Parameters, moments and the buffers of one step, in one WebAssembly memory with its kernels. */
export function allocate(shape: Shape): { arrays: Arrays; kernels: Kernels } {
  const plan = new MemoryPlan();
  const arrays = reserve(plan, shape);
  return { arrays, kernels: loadKernels(plan.allocate()) };
}
