import { profiler } from '../profile.js';
import { BlockOrder } from './block-order.js';
import { fromHalf } from './half.js';
import { bytesPerValue } from './shard.js';
import type { ActivationSource } from './source.js';
import type { ActivationStore } from './store.js';

export interface StoredOptions {
  seed: number;
  /** About how many rows a block has; by default as many as 32 contexts of 128 tokens. */
  blockRows?: number;
}

/** A block whose bytes are being read. */
interface Reading {
  epoch: number;
  block: number;
  bytes: ArrayBuffer;
  rows: number;
  done: Promise<unknown>;
}

/** Training rows read back from a store: the next block is read while the last one is used. */
export class StoredSource implements ActivationSource {
  readonly width: number;
  readonly rowsPerEpoch: number;
  readonly blocksPerEpoch: number;
  readonly maxBlockRows: number;
  readonly #store: ActivationStore;
  readonly #order: BlockOrder;
  /** Room for the bytes of two blocks: one in use, one on its way. */
  readonly #bytes: [ArrayBuffer, ArrayBuffer];
  /** A block of halves as floats. */
  readonly #floats: Float32Array;
  #ahead: Reading | undefined;

  constructor(store: ActivationStore, { seed, blockRows = 4096 }: StoredOptions) {
    const groups = store.trainGroups;
    const meanRows = store.rows / Math.max(1, store.groups);
    const blockGroups = Math.max(1, Math.round(blockRows / Math.max(1, meanRows)));
    this.#store = store;
    this.#order = new BlockOrder(groups, (group) => store.rowCount(group), blockGroups, seed);
    this.width = store.width;
    this.rowsPerEpoch = this.#order.rowsPerEpoch;
    this.blocksPerEpoch = this.#order.blocksPerEpoch;
    this.maxBlockRows = this.#order.maxBlockRows;
    const values = this.maxBlockRows * this.width;
    const bytes = values * bytesPerValue[store.dtype];
    this.#bytes = [new ArrayBuffer(bytes), new ArrayBuffer(bytes)];
    this.#floats = new Float32Array(store.dtype === 'float16' ? values : 0);
  }

  blockRows(epoch: number, block: number): number {
    return this.#order.blockRows(epoch, block);
  }

  async readBlock(epoch: number, block: number): Promise<Float32Array> {
    let reading = this.#ahead;
    if (reading?.epoch !== epoch || reading.block !== block) {
      // its room is needed
      await reading?.done.catch(() => undefined);
      reading = this.#read(epoch, block, this.#bytes[0]);
    }
    const { done, bytes, rows } = reading;
    await profiler.spend('disk', () => done);
    const last = block + 1 === this.blocksPerEpoch;
    const other = this.#bytes[bytes === this.#bytes[0] ? 1 : 0];
    this.#ahead = this.#read(last ? epoch + 1 : epoch, last ? 0 : block + 1, other);
    const values = rows * this.width;
    if (this.#store.dtype === 'float32') return new Float32Array(bytes, 0, values);
    return profiler
      .spendSync('disk', () => fromHalf(new Uint16Array(bytes, 0, values), this.#floats))
      .subarray(0, values);
  }

  #read(epoch: number, block: number, bytes: ArrayBuffer): Reading {
    let rows = 0;
    const reads: Promise<void>[] = [];
    for (const group of this.#order.block(epoch, block)) {
      const start = rows * this.width * bytesPerValue[this.#store.dtype];
      reads.push(this.#store.readBytes(group, new Uint8Array(bytes, start)));
      rows += this.#store.rowCount(group);
    }
    const done = Promise.all(reads);
    // a block that nobody asks for may fail unnoticed
    done.catch(() => undefined);
    return { epoch, block, bytes, rows, done };
  }
}
