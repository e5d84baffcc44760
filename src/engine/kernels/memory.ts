import { inputError } from '../../shared/errors.js';

const largest = 4 * 2 ** 30;
const page = 2 ** 16;
const alignment = 64;

/** An array in WebAssembly memory: its byte address for the kernels, its view for JavaScript and ONNX Runtime. */
export interface Block<View> {
  readonly address: number;
  readonly view: View;
}

/**
 * Lays out one WebAssembly memory: reserve every array first, then `allocate` once. The memory never grows afterwards
 * (growing would detach every view).
 */
export class MemoryPlan {
  #bytes = alignment;
  readonly #blocks: ((buffer: ArrayBuffer) => void)[] = [];

  #reserve<View>(bytes: number, make: (buffer: ArrayBuffer, address: number) => View): Block<View> {
    const address = this.#bytes;
    this.#bytes += Math.ceil(bytes / alignment) * alignment;
    let view: View | undefined;
    this.#blocks.push((buffer) => (view = make(buffer, address)));
    return {
      address,
      get view() {
        if (view === undefined) throw new Error('the memory plan has not been allocated');
        return view;
      },
    };
  }

  float32(length: number): Block<Float32Array<ArrayBuffer>> {
    return this.#reserve(length * 4, (buffer, address) => new Float32Array(buffer, address, length));
  }

  float64(length: number): Block<Float64Array<ArrayBuffer>> {
    return this.#reserve(length * 8, (buffer, address) => new Float64Array(buffer, address, length));
  }

  int32(length: number): Block<Int32Array<ArrayBuffer>> {
    return this.#reserve(length * 4, (buffer, address) => new Int32Array(buffer, address, length));
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws WorkbenchError `too_large` beyond the 4 GiB a WebAssembly memory can address. */
  allocate(): WebAssembly.Memory {
    if (this.#bytes > largest) {
      const needed = (this.#bytes / 2 ** 30).toFixed(1);
      const sentence = `Training needs ${needed} GiB of parameters, moments and batch; one WebAssembly memory ends at 4 GiB.`;
      throw inputError('too_large', sentence, 'Choose a smaller latent_dim or batch_size.', 'latent_dim');
    }
    const pages = Math.ceil(this.#bytes / page);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    for (const make of this.#blocks) make(memory.buffer);
    return memory;
  }
}
