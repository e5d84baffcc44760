import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The exports of assembly/index.ts; pointers are byte addresses, see there for shapes. */
export interface Kernels {
  center(x: number, d: number, s: number, b: number, from: number, to: number): void;
  keepPositive(
    values: number,
    indices: number,
    cap: number,
    counts: number,
    sums: number,
    from: number,
    to: number,
  ): void;
  keepPositiveDense(values: number, indices: number, n: number, counts: number, from: number, to: number): void;
  decode(
    values: number,
    indices: number,
    counts: number,
    cap: number,
    decoder: number,
    xc: number,
    r: number,
    gz: number,
    sse: number,
    d: number,
    a: number,
    bias: number,
    from: number,
    to: number,
  ): void;
  sortByLatent(
    values: number,
    indices: number,
    gz: number,
    counts: number,
    cap: number,
    rows: number,
    n: number,
    a: number,
    starts: number,
    entryRows: number,
    entryValues: number,
    entryGradients: number,
  ): number;
  gradientNorms(
    starts: number,
    entryRows: number,
    entryValues: number,
    entryGradients: number,
    r: number,
    xc: number,
    encoder: number,
    decoder: number,
    denseSlot: number,
    denseEncoder: number,
    denseDecoder: number,
    scratch: number,
    norms: number,
    biasGradient: number,
    encoderSum: number,
    d: number,
    from: number,
    to: number,
  ): void;
  update(
    starts: number,
    entryRows: number,
    entryValues: number,
    entryGradients: number,
    r: number,
    xc: number,
    encoder: number,
    encoderM: number,
    encoderV: number,
    decoder: number,
    decoderM: number,
    decoderV: number,
    denseSlot: number,
    denseEncoder: number,
    denseDecoder: number,
    scratch: number,
    d: number,
    c: number,
    rate: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    epsilon: number,
    from: number,
    to: number,
  ): void;
  adam(
    w: number,
    m: number,
    v: number,
    g: number,
    length: number,
    c: number,
    rate: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    epsilon: number,
  ): void;
  columnSums(x: number, d: number, a: number, out: number, from: number, to: number): void;
}

let compiled: WebAssembly.Module | undefined;

/** Beside the engine once built; from the sources (tests) in dist/. */
function wasmPath(): string {
  const beside = path.join(__dirname, 'kernels.wasm');
  return existsSync(beside) ? beside : path.join(__dirname, '../../../dist/kernels.wasm');
}

/** The kernels over a memory laid out by a MemoryPlan. */
export function loadKernels(memory: WebAssembly.Memory): Kernels {
  compiled ??= new WebAssembly.Module(readFileSync(wasmPath()));
  const env = {
    memory,
    abort: () => {
      throw new Error('a kernel aborted');
    },
  };
  return new WebAssembly.Instance(compiled, { env }).exports as unknown as Kernels;
}
