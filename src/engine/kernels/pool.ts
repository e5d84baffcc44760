import { existsSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { controlBytes, KernelCalls, type Call, type WorkerStart } from './calls.js';
import { compile, instantiate, type Kernels } from './kernels.js';

/**
 * The kernels over one shared memory, and threads that share their work: they sleep until there is a call. The thread that
 * calls takes part, and is blocked for the milliseconds that a call takes.
 */
export class KernelPool {
  /** The same kernels in this thread alone. */
  readonly kernels: Kernels;
  readonly #calls: KernelCalls;
  readonly #workers: readonly Worker[];

  private constructor(kernels: Kernels, calls: KernelCalls, workers: readonly Worker[]) {
    this.kernels = kernels;
    this.#calls = calls;
    this.#workers = workers;
  }

  /** `threads` includes the one that calls. */
  static async create(memory: WebAssembly.Memory, threads: number): Promise<KernelPool> {
    const module = compile(memory);
    const kernels = instantiate(module, memory);
    const control = new SharedArrayBuffer(controlBytes);
    const workers = Array.from({ length: threads - 1 }, (_, i) => {
      const workerData: WorkerStart = { module, memory, control, thread: i + 1 };
      return new Worker(workerPath(), { workerData });
    });
    await Promise.all(workers.map(ready));
    for (const worker of workers) worker.unref();
    return new KernelPool(kernels, new KernelCalls(control, kernels, 0), workers);
  }

  run(call: Call): void {
    this.#calls.run(call, this.#workers.length);
  }

  async dispose(): Promise<void> {
    const gone = this.#workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const worker of this.#workers) worker.ref();
    this.#calls.stop();
    await Promise.all(gone);
  }
}

function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => {
      resolve();
    });
    worker.once('error', reject);
  });
}

/** Beside the engine once built; from the sources (tests) in dist/. */
function workerPath(): string {
  const beside = path.join(__dirname, 'kernel-worker.js');
  return existsSync(beside) ? beside : path.join(__dirname, '../../../dist/kernel-worker.js');
}
