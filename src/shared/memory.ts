import type { Architecture, Preselection, ResolvedConfig } from './config.js';

/** How much memory training takes: the arithmetic by which the engine lays out its arrays, for whoever has no engine. */

/** Most bytes that one WebAssembly memory can address, and with it the arrays of a training. */
export const largestWasmMemory = 4 * 2 ** 30;

/** Sums over latents or rows are cut into this many fixed blocks, so that results do not depend on who computes them. */
export const blocks = 64;

/** Most threads that share the kernels' work. */
export const mostThreads = 64;

/** Bytes in which those threads tell each other what to do. */
export const controlBytes = 2368;

/** Most dead latents that take part in one AuxK step; beyond it a seeded subset does. */
const mostDead = 1024;

/** Most active latents of a row that the sparse path takes; above it a dense step is cheaper. */
const sparseCap = 256;

/** Room for gradient rows that are needed twice: all of them would take a third of what parameters and moments do. */
const keptBytes = 2 ** 24;

/** Among fewer latents than so many for each candidate, finding candidates first costs more than it saves. */
const leastPreselected = 8;

/** Rows whose winners are compared with all latents, now and then. */
export const comparedRows = 128;

/** Node, ONNX Runtime and the chunks in flight. */
const programBytes = 300e6;

/** The numbers that decide the size of every array of a training step. */
export interface StepShape {
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
  /** Latents of a row that an int8 product proposes and exact pre-activations decide between; 0 where it is not used. */
  candidates: number;
  /** Latents whose gradient rows are kept from the norm pass for the update; those of the others are formed twice. */
  kept: number;
}

export interface StepOptions {
  architecture: Architecture;
  width: number;
  latents: number;
  k: number;
  batch: number;
  preselection: Preselection;
}

export function stepShape({ architecture, width, latents, k, batch, preselection }: StepOptions): StepShape {
  if (architecture !== 'topk') {
    return { width, latents, batch, cap: Math.min(sparseCap, latents), dense: latents, candidates: 0, kept: 0 };
  }
  const candidates = Math.max(Math.ceil(1.5 * k), k + 16);
  const pays = preselection === 'int8' && latents >= leastPreselected * candidates;
  return {
    width,
    latents,
    batch,
    cap: k,
    dense: Math.min(mostDead, latents),
    candidates: pays ? candidates : 0,
    kept: Math.min(latents, Math.floor(keptBytes / (8 * width))),
  };
}

/** Reserves arrays one after the other: in a memory to be allocated, or only to count bytes. */
export interface ArrayPlan<Float32, Float64, Int32, Uint8> {
  float32(length: number): Float32;
  float64(length: number): Float64;
  int32(length: number): Int32;
  uint8(length: number): Uint8;
}

/** Every array of a training step: parameters, their moments and the step's buffers. */
export function stepArrays<Float32, Float64, Int32, Uint8>(
  plan: ArrayPlan<Float32, Float64, Int32, Uint8>,
  { width: d, latents: n, batch, cap, dense, candidates, kept }: StepShape,
) {
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
    /** Of each thread its own: two gradient rows, or the pre-activations of a row's candidates. */
    scratch: plan.float32(mostThreads * scratchLength(d, candidates)),
    /** Of each latent below `kept` two rows: of the encoder's gradient and of the decoder's. */
    gradients: plan.float32(2 * kept * d),
    norms: plan.float64(n),
    blockSums: plan.float32(blocks * d),
    squares: plan.float64(blocks),
    /** W_e as int8 columns [d, n] with a scale for each latent, and x_c as uint8 around 128. */
    quantizedEncoder: plan.uint8(candidates > 0 ? n * d : 0),
    encoderScales: plan.float32(candidates > 0 ? n : 0),
    quantizedRows: plan.uint8(candidates > 0 ? batch * d : 0),
    candidates: plan.int32(batch * candidates),
    /** To see whether a winner is missing among the candidates, in some rows: their smallest ones, how many latents of each block are larger. */
    thresholds: plan.float32(comparedRows),
    above: plan.int32(blocks * comparedRows),
    control: plan.uint8(controlBytes),
  };
}

/** Values of a thread's scratch; a whole number of cache lines. */
export function scratchLength(width: number, candidates: number): number {
  return 16 * Math.ceil(Math.max(2 * width, candidates) / 16);
}

const alignment = 64;

/** Addresses for arrays that follow each other in one memory, each where a cache line begins; the first line is left free. */
export class AddressPlan implements ArrayPlan<number, number, number, number> {
  /** Bytes up to the end of the last array. */
  bytes = alignment;

  /** The address of the next array of so many bytes. */
  reserve(bytes: number): number {
    const address = this.bytes;
    this.bytes += Math.ceil(bytes / alignment) * alignment;
    return address;
  }

  float32(length: number): number {
    return this.reserve(4 * length);
  }

  float64(length: number): number {
    return this.reserve(8 * length);
  }

  int32(length: number): number {
    return this.reserve(4 * length);
  }

  uint8(length: number): number {
    return this.reserve(length);
  }
}

/** Bytes of parameters, moments and step buffers that training takes. */
export function trainingBytes(options: StepOptions): number {
  const plan = new AddressPlan();
  stepArrays(plan, stepShape(options));
  return plan.bytes;
}

/** The part of a configuration that decides how much memory its training takes. */
export type MemoryConfig = Pick<
  ResolvedConfig,
  'architecture' | 'latent_dim' | 'k' | 'batch_size' | 'preselection' | 'shuffle_buffer_tokens'
>;

/** Bytes that a training takes. */
export interface MemoryNeeded {
  /** Parameters, moments and step buffers. */
  parameters: number;
  /** Activations that are mixed in memory. */
  buffer: number;
  /** All of it, the program included. */
  total: number;
}

/** `width` is d; `rowsPerEpoch` the training tokens of one epoch, Infinity where they are not known. */
export function memoryNeeded(config: MemoryConfig, width: number, rowsPerEpoch: number): MemoryNeeded {
  const { architecture, latent_dim: latents, k, batch_size: batch, preselection } = config;
  const parameters = trainingBytes({ architecture, width, latents, k, batch, preselection });
  const buffer = 4 * width * Math.min(config.shuffle_buffer_tokens, rowsPerEpoch);
  return { parameters, buffer, total: parameters + buffer + programBytes };
}

/** Whether a training can run where `available` bytes of memory are. */
export function fitsInMemory({ parameters, total }: MemoryNeeded, available: number): boolean {
  return parameters <= largestWasmMemory && total <= available;
}
