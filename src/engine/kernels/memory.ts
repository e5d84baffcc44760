import { inputError } from '../../shared/errors.js';
import { AddressPlan, largestWasmMemory, type ArrayPlan } from '../../shared/memory.js';

const page = 2 ** 16;

/** An array in WebAssembly memory: its byte address for the kernels, its view for JavaScript and ONNX Runtime. */
export interface Block<View> {
  readonly address: number;
  readonly view: View;
}

/**
 * Lays out one WebAssembly memory: reserve every array first, then `allocate` once. The memory never grows afterwards
 * (growing would detach every view).
 */
export class MemoryPlan implements ArrayPlan<
  Block<Float32Array>,
  Block<Float64Array>,
  Block<Int32Array>,
  Block<Uint8Array>
> {
  readonly #addresses = new AddressPlan();
  readonly #blocks: ((buffer: ArrayBufferLike) => void)[] = [];

  #reserve<View>(bytes: number, make: (buffer: ArrayBufferLike, address: number) => View): Block<View> {
    const address = this.#addresses.reserve(bytes);
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

  float32(length: number): Block<Float32Array> {
    return this.#reserve(length * 4, (buffer, address) => new Float32Array(buffer, address, length));
  }

  float64(length: number): Block<Float64Array> {
    return this.#reserve(length * 8, (buffer, address) => new Float64Array(buffer, address, length));
  }

  int32(length: number): Block<Int32Array> {
    return this.#reserve(length * 4, (buffer, address) => new Int32Array(buffer, address, length));
  }

  uint8(length: number): Block<Uint8Array> {
    return this.#reserve(length, (buffer, address) => new Uint8Array(buffer, address, length));
  }

  /**
   * `shared`: by threads; ONNX Runtime cannot read or write such a memory.
   * @throws WorkbenchError `too_large` beyond the 4 GiB a WebAssembly memory can address.
   */
  allocate({ shared = false }: { shared?: boolean } = {}): WebAssembly.Memory {
    const { bytes } = this.#addresses;
    if (bytes > largestWasmMemory) {
      const needed = (bytes / 2 ** 30).toFixed(1);
      const sentence = `Training needs ${needed} GiB of parameters, moments and batch; one WebAssembly memory ends at 4 GiB.`;
      throw inputError('too_large', sentence, 'Choose a smaller latent_dim or batch_size.', 'latent_dim');
    }
    const pages = Math.ceil(bytes / page);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
    for (const make of this.#blocks) make(memory.buffer);
    return memory;
  }
}
