import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The exports of assembly/index.ts; pointers are byte addresses, see there for shapes. */
export interface Kernels {
  center: (x: number, d: number, s: number, b: number, from: number, to: number) => void;
  keepPositive: (
    values: number,
    indices: number,
    cap: number,
    counts: number,
    sums: number,
    from: number,
    to: number,
  ) => void;
  keepPositiveDense: (values: number, indices: number, n: number, counts: number, from: number, to: number) => void;
  decode: (
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
  ) => void;
  sortByLatent: (
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
  ) => number;
  gradientNorms: (
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
    kept: number,
    gradients: number,
    norms: number,
    biasGradient: number,
    encoderSum: number,
    d: number,
    from: number,
    to: number,
  ) => void;
  update: (
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
    kept: number,
    gradients: number,
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
  ) => void;
  adam: (
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
  ) => void;
  columnSums: (x: number, d: number, a: number, out: number, from: number, to: number) => void;
  quantizeLatents: (
    w: number,
    d: number,
    n: number,
    range: number,
    q: number,
    scales: number,
    from: number,
    to: number,
  ) => void;
  quantizeRows: (x: number, d: number, scale: number, q: number, from: number, to: number) => void;
  sumOfSquares: (x: number, d: number, out: number, from: number, to: number) => void;
  rank: (
    xc: number,
    d: number,
    encoder: number,
    bias: number,
    latents: number,
    candidates: number,
    k: number,
    values: number,
    indices: number,
    scratch: number,
    from: number,
    to: number,
  ) => void;
  countAbove: (
    xc: number,
    rows: number,
    d: number,
    encoder: number,
    bias: number,
    thresholds: number,
    counts: number,
    from: number,
    to: number,
  ) => void;
}

/** The exports of assembly/shared.ts, too; `control` is the address of a pool's control block. */
export interface SharedKernels extends Kernels {
  take: (control: number, thread: number) => void;
}

const compiled = new Map<string, WebAssembly.Module>();

/** The kernels' program for a memory, compiled once: there is one for memories that threads share, and one for others. */
export function compile(memory: WebAssembly.Memory): WebAssembly.Module {
  const name = memory.buffer instanceof SharedArrayBuffer ? 'kernels-shared.wasm' : 'kernels.wasm';
  const known = compiled.get(name);
  if (known) return known;
  const module = new WebAssembly.Module(readFileSync(wasmPath(name)));
  compiled.set(name, module);
  return module;
}

/** Beside the engine once built; from the sources (tests) in dist/. */
function wasmPath(name: string): string {
  const beside = path.join(__dirname, name);
  return existsSync(beside) ? beside : path.join(__dirname, '../../../dist', name);
}

/** The kernels over a memory laid out by a MemoryPlan. */
export function loadKernels(memory: WebAssembly.Memory): Kernels {
  return instantiate(compile(memory), memory) as unknown as Kernels;
}

/** The same over a memory that threads share. */
export function instantiateShared(module: WebAssembly.Module, memory: WebAssembly.Memory): SharedKernels {
  return instantiate(module, memory) as unknown as SharedKernels;
}

function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): WebAssembly.Exports {
  const env = {
    memory,
    abort: () => {
      throw new Error('a kernel aborted');
    },
  };
  return new WebAssembly.Instance(module, { env }).exports;
}
