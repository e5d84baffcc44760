import type { TappedModel } from '../model/session.js';
import type { Contexts } from '../text/contexts.js';
import { BlockOrder } from './block-order.js';
import { ContextExtractor, defaultBatchContexts } from './extract.js';
import { roundThroughHalf } from './half.js';
import type { ActivationSource } from './source.js';

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
  readonly #block: Float32Array;

  constructor(model: TappedModel, contexts: Contexts, options: ExtractingOptions) {
    const { seed, batchContexts = defaultBatchContexts, half = false } = options;
    this.#order = new BlockOrder(contexts.trainContexts, (context) => contexts.rowCount(context), batchContexts, seed);
    this.#extractor = new ContextExtractor(model, contexts);
    this.#half = half;
    this.width = model.width;
    this.rowsPerEpoch = this.#order.rowsPerEpoch;
    this.blocksPerEpoch = this.#order.blocksPerEpoch;
    this.maxBlockRows = this.#order.maxBlockRows;
    this.#block = new Float32Array(this.maxBlockRows * this.width);
  }

  blockRows(epoch: number, block: number): number {
    return this.#order.blockRows(epoch, block);
  }

  async readBlock(epoch: number, block: number): Promise<Float32Array> {
    const count = await this.#extractor.extract(this.#order.block(epoch, block), this.#block);
    const rows = this.#block.subarray(0, count * this.width);
    return this.#half ? roundThroughHalf(rows) : rows;
  }
}
