import * as block from './assembly/control.js';

// their words, counted from the block's first
const callWord = block.callAt / 4;
const nextWord = block.nextAt / 4;
const busyWord = block.busyAt / 4;
const stopWord = block.stopAt / 4;
const failedWord = block.failedAt / 4;

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

/**
 * The control block in JavaScript: how a call is opened to the helpers, and how the threads wait for each other. Which thread
 * computes which range is open; every range writes only what is its own, so that results do not depend on it.
 *
 * Threads wait here and not in the kernels' program, because V8 11.3 (Node 20) overwrites the local variable beside an
 * `atomic.wait` in its baseline code.
 */
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

  /** Opens a call to so many helpers. */
  open({ kernel, args, cuts, threadBytes = 0, rangeBytes = 0 }: Call, helpers: number): void {
    const words = this.#words;
    words[block.kernelAt / 4] = block.Kernel[kernel];
    words[block.rangesAt / 4] = cuts.length - 1;
    words[block.threadBytesAt / 4] = threadBytes;
    words[block.rangeBytesAt / 4] = rangeBytes;
    this.#arguments.set(args);
    this.#cuts.set(cuts);
    Atomics.store(words, nextWord, 0);
    Atomics.store(words, busyWord, helpers);
    Atomics.add(words, callWord, 1);
    if (helpers > 0) Atomics.notify(words, callWord, helpers);
  }

  /** Waits until every helper has done its part of the call. */
  finish(): void {
    const words = this.#words;
    for (let left; (left = Atomics.load(words, busyWord)) > 0;) Atomics.wait(words, busyWord, left);
  }

  /** In a helper: waits for a call after the one with the number `last` (0: none) and returns its number; null: no more come. */
  next(last: number): number | null {
    const words = this.#words;
    let now;
    // a notification may come when the call it was meant for has long been computed
    while ((now = Atomics.load(words, callWord)) === last) Atomics.wait(words, callWord, last);
    return Atomics.load(words, stopWord) === 0 ? now : null;
  }

  /** In a helper: it has done its part of the call. */
  leave(): void {
    if (Atomics.sub(this.#words, busyWord, 1) === 1) Atomics.notify(this.#words, busyWord);
  }

  /** Sends the helpers home. */
  stop(): void {
    Atomics.store(this.#words, stopWord, 1);
    Atomics.add(this.#words, callWord, 1);
    Atomics.notify(this.#words, callWord);
  }

  /** Why a helper failed; null where none did. */
  get failure(): string | null {
    const bytes = Atomics.load(this.#words, failedWord);
    return bytes > 0 ? Buffer.from(this.#reason.subarray(0, bytes)).toString() : null;
  }

  /** In a helper, before it leaves. */
  fail(error: unknown): void {
    const reason = Buffer.from((error instanceof Error && error.stack) || String(error)).subarray(0, block.reasonBytes);
    this.#reason.set(reason);
    Atomics.store(this.#words, failedWord, reason.length);
  }
}
