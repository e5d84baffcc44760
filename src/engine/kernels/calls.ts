import type { Kernels } from './kernels.js';

/** What a thread of the pool is started with. */
export interface WorkerStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  control: SharedArrayBuffer;
  /** From 1; the thread that asks is 0. */
  thread: number;
}

/** Kernels that work on a range, their last two arguments. */
export type RangeKernel = Exclude<keyof Kernels, 'sortByLatent' | 'adam'>;

/** A kernel on consecutive ranges of rows or latents. */
export interface Call {
  kernel: RangeKernel;
  /** All arguments but the range. */
  args: readonly number[];
  /** Where the ranges begin, and where the last one ends. */
  cuts: ArrayLike<number>;
  /** The argument that is an address of the thread's own: so many bytes further for each thread. */
  perThread?: { arg: number; bytes: number };
  /** The argument that is an address of the range's own: so many bytes further for each range. */
  perRange?: { arg: number; bytes: number };
}

/** Most ranges of a call, and most arguments. */
export const mostRanges = 256;
const mostArguments = 32;

const kernels: readonly RangeKernel[] = [
  'center',
  'keepPositive',
  'keepPositiveDense',
  'decode',
  'gradientNorms',
  'update',
  'columnSums',
  'quantizeLatents',
  'quantizeRows',
  'sumOfSquares',
  'rank',
];

/** The words of the control block. */
const word = {
  /** Number of the call; grows by one. */
  call: 0,
  /** The range that is taken next. */
  next: 1,
  /** Threads that have not finished yet. */
  busy: 2,
  failed: 3,
  stop: 4,
  kernel: 5,
  args: 6,
  ranges: 7,
  threadArg: 8,
  threadBytes: 9,
  rangeArg: 10,
  rangeBytes: 11,
  cuts: 12,
} as const;
const words = word.cuts + mostRanges + 1;

/** Bytes of the control block: its words, and the arguments. */
export const controlBytes = Math.ceil(words / 2) * 8 + mostArguments * 8;

/**
 * Calls of kernels that several threads share, over a control block that all of them see. Which thread computes which range
 * is open; every range writes only what is its own, so that results do not depend on it.
 */
export class KernelCalls {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #args: Float64Array<SharedArrayBuffer>;
  readonly #kernels: Kernels;
  readonly #thread: number;

  constructor(control: SharedArrayBuffer, instance: Kernels, thread: number) {
    this.#words = new Int32Array(control, 0, words);
    this.#args = new Float64Array(control, Math.ceil(words / 2) * 8, mostArguments);
    this.#kernels = instance;
    this.#thread = thread;
  }

  /** Hands a call to so many sleeping threads, takes part in it and returns when all of it is done. */
  run({ kernel, args, cuts, perThread, perRange }: Call, helpers: number): void {
    const w = this.#words;
    w[word.kernel] = kernels.indexOf(kernel);
    w[word.args] = args.length;
    this.#args.set(args);
    w[word.ranges] = cuts.length - 1;
    for (let i = 0; i < cuts.length; i++) w[word.cuts + i] = cuts[i]!;
    w[word.threadArg] = perThread?.arg ?? -1;
    w[word.threadBytes] = perThread?.bytes ?? 0;
    w[word.rangeArg] = perRange?.arg ?? -1;
    w[word.rangeBytes] = perRange?.bytes ?? 0;
    w[word.next] = 0;
    w[word.busy] = helpers;
    Atomics.add(w, word.call, 1);
    if (helpers > 0) Atomics.notify(w, word.call);
    this.#take();
    for (let busy = helpers; (busy = Atomics.load(w, word.busy)) > 0;) Atomics.wait(w, word.busy, busy);
    if (Atomics.load(w, word.failed) !== 0) throw new Error(`the kernel ${kernel} failed in another thread`);
  }

  /** In a helper: sleeps until there is another call than the one given; its number, or −1 once the pool is closed. */
  next(call: number): number {
    const w = this.#words;
    Atomics.wait(w, word.call, call);
    return Atomics.load(w, word.stop) !== 0 ? -1 : Atomics.load(w, word.call);
  }

  /** In a helper: takes part in the present call. */
  work(): void {
    const w = this.#words;
    try {
      this.#take();
    } catch {
      Atomics.store(w, word.failed, 1);
    }
    if (Atomics.sub(w, word.busy, 1) === 1) Atomics.notify(w, word.busy);
  }

  /** Sends the helpers home. */
  stop(): void {
    Atomics.store(this.#words, word.stop, 1);
    Atomics.add(this.#words, word.call, 1);
    Atomics.notify(this.#words, word.call);
  }

  #take(): void {
    const w = this.#words;
    const kernel: (...args: number[]) => void = this.#kernels[kernels[w[word.kernel]!]!];
    const args = Array.from(this.#args.subarray(0, w[word.args]));
    const count = args.length;
    const threadArg = w[word.threadArg]!;
    const rangeArg = w[word.rangeArg]!;
    if (threadArg >= 0) args[threadArg]! += this.#thread * w[word.threadBytes]!;
    const first = rangeArg >= 0 ? args[rangeArg]! : 0;
    for (let i = 0; (i = Atomics.add(w, word.next, 1)) < w[word.ranges]!;) {
      if (rangeArg >= 0) args[rangeArg] = first + i * w[word.rangeBytes]!;
      args[count] = w[word.cuts + i]!;
      args[count + 1] = w[word.cuts + i + 1]!;
      kernel(...args);
    }
  }
}
