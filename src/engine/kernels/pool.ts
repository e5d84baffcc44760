import { existsSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { Control, type Call, type HelperStart } from './control.js';
import { compile, instantiateShared, type SharedKernels } from './kernels.js';

/**
 * The kernels over one shared memory, and threads that share their work: they sleep until there is a call. The thread that
 * calls takes part, and is blocked for the milliseconds that a call takes.
 */
export class KernelPool {
  /** The same kernels in this thread alone. */
  readonly kernels: SharedKernels;
  readonly #control: Control;
  readonly #address: number;
  readonly #helpers: readonly Helper[];

  private constructor(kernels: SharedKernels, control: Control, address: number, helpers: readonly Helper[]) {
    this.kernels = kernels;
    this.#control = control;
    this.#address = address;
    this.#helpers = helpers;
  }

  /**
   * `threads` includes the one that calls; `memory` is shared, and `control`, zeros, is where in it the threads tell each other
   * what to do: `controlBytes`.
   */
  static async create(memory: WebAssembly.Memory, control: number, threads: number): Promise<KernelPool> {
    const module = compile(memory);
    const helpers = Array.from(
      { length: threads - 1 },
      (_, i) => new Helper({ module, memory, control, thread: i + 1 }),
    );
    await Promise.all(helpers.map(({ ready }) => ready));
    return new KernelPool(instantiateShared(module, memory), new Control(memory, control), control, helpers);
  }

  /** @throws Error with the reason where a helper failed; the pool is of no use then. */
  run(call: Call): void {
    this.#control.open(call, this.#helpers.length);
    this.kernels.take(this.#address, 0);
    this.#control.finish();
    const { failure } = this.#control;
    if (failure !== null) throw new Error(`the kernel ${call.kernel} failed in another thread: ${failure}`);
  }

  async dispose(): Promise<void> {
    this.#control.stop();
    await Promise.all(this.#helpers.map((helper) => helper.gone()));
  }
}

/** A thread of the pool. Waiting for calls it does not keep the process alive. */
class Helper {
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #gone: Promise<void>;

  constructor(workerData: HelperStart) {
    const worker = new Worker(workerPath(), { workerData });
    this.#worker = worker;
    this.#gone = new Promise((resolve) =>
      worker.once('exit', () => {
        resolve();
      }),
    );
    this.ready = new Promise((resolve, reject) => {
      worker.once('message', () => {
        worker.unref();
        resolve();
      });
      worker.once('error', reject);
    });
  }

  async gone(): Promise<void> {
    this.#worker.ref();
    await this.#gone;
  }
}

/** Beside the engine once built; from the sources (tests) in dist/. */
function workerPath(): string {
  const beside = path.join(__dirname, 'kernel-worker.js');
  return existsSync(beside) ? beside : path.join(__dirname, '../../../dist/kernel-worker.js');
}
