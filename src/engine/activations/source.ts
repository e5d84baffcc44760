import type { Contexts } from '../text/contexts.js';
import type { TappedModel } from '../model/session.js';
import { ContextExtractor, defaultBatchContexts } from './extract.js';
import { roundThroughHalf } from './half.js';
import { epochKey, permute } from './permutation.js';
import type { ActivationStore } from './store.js';
import { profiler } from '../profile.js';

/**
 * Training rows in blocks. What a block holds depends on (epoch, block) alone, so that any block can be read again: a resumed run
 * sees exactly what the interrupted one did.
 */
export interface ActivationSource {
  /** d, the width of a row. */
  readonly width: number;
  readonly rowsPerEpoch: number;
  readonly blocksPerEpoch: number;
  /** Most rows of any block. */
  readonly maxBlockRows: number;
  /** Rows of a block, without reading it. */
  blockRows(epoch: number, block: number): number;
  /** Reads a block's rows, [rows, width] row-major, to the start of `out`. @returns the number of rows. */
  readBlock(epoch: number, block: number, out: Float32Array): Promise<number>;
}

/** Groups of rows, dealt into blocks of a fixed number of groups, in an order of their own for every epoch. */
class BlockOrder {
  readonly rowsPerEpoch: number;
  readonly blocksPerEpoch: number;
  readonly maxBlockRows: number;
  readonly #groups: Uint32Array;
  readonly #rowCount: (group: number) => number;
  readonly #blockGroups: number;
  readonly #seed: number;

  constructor(groups: Uint32Array, rowCount: (group: number) => number, blockGroups: number, seed: number) {
    this.#groups = groups;
    this.#rowCount = rowCount;
    this.#blockGroups = blockGroups;
    this.#seed = seed;
    let most = 0;
    let total = 0;
    for (const group of groups) {
      const rows = rowCount(group);
      most = Math.max(most, rows);
      total += rows;
    }
    this.rowsPerEpoch = total;
    this.blocksPerEpoch = Math.ceil(groups.length / blockGroups);
    this.maxBlockRows = Math.min(most * blockGroups, total);
  }

  /** The groups of a block, in order. */
  block(epoch: number, block: number): number[] {
    const key = epochKey(this.#seed, epoch);
    const first = block * this.#blockGroups;
    const count = Math.min(this.#blockGroups, this.#groups.length - first);
    const at = (i: number) => this.#groups[permute(first + i, this.#groups.length, key)]!;
    return Array.from({ length: count }, (_, i) => at(i));
  }

  blockRows(epoch: number, block: number): number {
    return this.block(epoch, block).reduce((sum, group) => sum + this.#rowCount(group), 0);
  }
}

export interface StoredOptions {
  seed: number;
  /** About how many rows a block has; by default as many as 32 contexts of 128 tokens. */
  blockRows?: number;
}

/** Training rows read back from a store. */
export class StoredSource implements ActivationSource {
  readonly width: number;
  readonly rowsPerEpoch: number;
  readonly blocksPerEpoch: number;
  readonly maxBlockRows: number;
  readonly #store: ActivationStore;
  readonly #order: BlockOrder;

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
  }

  blockRows(epoch: number, block: number): number {
    return this.#order.blockRows(epoch, block);
  }

  async readBlock(epoch: number, block: number, out: Float32Array): Promise<number> {
    let rows = 0;
    const reads: Promise<number>[] = [];
    for (const group of this.#order.block(epoch, block)) {
      reads.push(this.#store.readGroup(group, out.subarray(rows * this.width)));
      rows += this.#store.rowCount(group);
    }
    await profiler.spend('disk', () => Promise.all(reads));
    return rows;
  }
}

export interface ExtractingOptions {
  seed: number;
  /** Contexts per block, which is one run of the model. */
  batchContexts?: number;
  /** Rounds rows through float16, as a float16 store would. */
  half?: boolean;
}

/** Training rows computed when they are asked for: one block is one run of the model. */
export class ExtractingSource implements ActivationSource {
  readonly width: number;
  readonly rowsPerEpoch: number;
  readonly blocksPerEpoch: number;
  readonly maxBlockRows: number;
  readonly #order: BlockOrder;
  readonly #extractor: ContextExtractor;
  readonly #half: boolean;

  constructor(model: TappedModel, contexts: Contexts, options: ExtractingOptions) {
    const { seed, batchContexts = defaultBatchContexts, half = false } = options;
    this.#order = new BlockOrder(contexts.trainContexts, (context) => contexts.rowCount(context), batchContexts, seed);
    this.#extractor = new ContextExtractor(model, contexts);
    this.#half = half;
    this.width = model.width;
    this.rowsPerEpoch = this.#order.rowsPerEpoch;
    this.blocksPerEpoch = this.#order.blocksPerEpoch;
    this.maxBlockRows = this.#order.maxBlockRows;
  }

  blockRows(epoch: number, block: number): number {
    return this.#order.blockRows(epoch, block);
  }

  async readBlock(epoch: number, block: number, out: Float32Array): Promise<number> {
    const rows = await this.#extractor.extract(this.#order.block(epoch, block), out);
    if (this.#half) roundThroughHalf(out.subarray(0, rows * this.width));
    return rows;
  }
}
