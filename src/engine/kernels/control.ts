import * as block from './assembly/control.js';

/** What a helper is started with. */
export interface HelperStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Address of the control block. */
  control: number;
  /** From 1; the thread that asks is 0. */
  thread: number;
}

/** A kernel on consecutive ranges of rows or latents. */
export interface Call {
  kernel: keyof typeof block.Kernel;
  /** All arguments but the range, as the kernel takes them. */
  args: readonly number[];
  /** Where the ranges begin, and where the last one ends. */
  cuts: ArrayLike<number>;
  /** Kernels with scratch: bytes between one thread's and the next one's. */
  threadBytes?: number;
  /** Kernels with an output of each range: bytes between one range's and the next one's. */
  rangeBytes?: number;
}

/** The control block in JavaScript. */
export class Control {
  readonly #words: Int32Array;
  readonly #arguments: Float64Array;
  readonly #cuts: Int32Array;
  readonly #reason: Uint8Array;

  /** @throws RangeError where the block is too small. */
  constructor({ buffer }: WebAssembly.Memory, address: number) {
    this.#words = new Int32Array(buffer, address, block.argumentsAt / 4);
    this.#arguments = new Float64Array(buffer, address + block.argumentsAt, block.mostArguments);
    this.#cuts = new Int32Array(buffer, address + block.cutsAt, block.mostRanges + 1);
    this.#reason = new Uint8Array(buffer, address + block.reasonAt, block.reasonBytes);
  }

  /** Writes down what `share` is to compute. */
  set call({ kernel, args, cuts, threadBytes = 0, rangeBytes = 0 }: Call) {
    const words = this.#words;
    words[block.kernelAt / 4] = block.Kernel[kernel];
    words[block.rangesAt / 4] = cuts.length - 1;
    words[block.threadBytesAt / 4] = threadBytes;
    words[block.rangeBytesAt / 4] = rangeBytes;
    this.#arguments.set(args);
    this.#cuts.set(cuts);
  }

  /** Why a helper failed; null where none did. */
  get failure(): string | null {
    const bytes = Atomics.load(this.#words, block.failedAt / 4);
    return bytes > 0 ? Buffer.from(this.#reason.subarray(0, bytes)).toString() : null;
  }

  /** In a helper. */
  fail(error: unknown): void {
    const reason = Buffer.from((error instanceof Error && error.stack) || String(error)).subarray(0, block.reasonBytes);
    this.#reason.set(reason);
    Atomics.store(this.#words, block.failedAt / 4, reason.length);
  }
}
