import { failure } from '../../shared/errors.js';
import type { Control } from '../control.js';
import type { TappedModel } from '../model/session.js';
import type { Contexts } from '../text/contexts.js';
import type { Group } from './shard.js';
import type { StoreWriter } from './store-writer.js';

/** Contexts per run of the model: enough to keep every core busy, few enough for the caches. */
export const defaultBatchContexts = 8;

/** Any id of the vocabulary does for padding: masked, after the text of its row, and never made a row. */
const padding = 0;

/** Runs contexts through a tapped model and keeps the rows wanted: no padding, no special tokens, no excluded first position. */
export class ContextExtractor {
  readonly width: number;
  readonly #model: TappedModel;
  readonly #contexts: Contexts;

  constructor(model: TappedModel, contexts: Contexts) {
    this.width = model.width;
    this.#model = model;
    this.#contexts = contexts;
  }

  /**
   * One run of the model over the contexts given. Their rows go to the start of `out`, [rows, width] row-major, context after
   * context. @returns the number of rows.
   *
   * @throws WorkbenchError `diverged` if the model computes a value that is not finite.
   */
  async extract(batch: readonly number[], out: Float32Array): Promise<number> {
    const lengths = Int32Array.from(batch, (context) => this.#contexts.length(context));
    const columns = lengths.reduce((most, length) => Math.max(most, length), 0);
    const ids = new Int32Array(batch.length * columns).fill(padding);
    for (const [row, context] of batch.entries()) {
      this.#contexts.ids(context, ids.subarray(row * columns, row * columns + lengths[row]!));
    }
    const hidden = await this.#model.run(ids, lengths, columns);
    let rows = 0;
    for (const [row, context] of batch.entries()) {
      rows += this.#gather(hidden, row * columns, this.#contexts.rowPositions(context), out, rows);
    }
    return rows;
  }

  /** Copies the positions wanted of one context, neighbours in one piece. @returns how many there were. */
  #gather(hidden: Float32Array, first: number, positions: ArrayLike<number>, out: Float32Array, row: number): number {
    const { width } = this;
    for (let start = 0; start < positions.length;) {
      let end = start + 1;
      while (end < positions.length && positions[end] === positions[end - 1]! + 1) end++;
      const from = (first + positions[start]!) * width;
      const piece = hidden.subarray(from, from + (end - start) * width);
      if (!allFinite(piece)) throw notFinite();
      out.set(piece, (row + start) * width);
      start = end;
    }
    return positions.length;
  }
}

/** Whether no value is NaN or infinite. */
export function allFinite(values: Float32Array): boolean {
  // x − x is 0 for every finite x and NaN for all others, and one NaN makes the sum NaN: no branch per value.
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    sum += value - value;
  }
  return sum === 0;
}

function notFinite() {
  const hint = 'Choose an earlier layer, or a model exported in float32: float16 overflows beyond 65504.';
  return failure('diverged', 'The model computed activations that are not finite.', hint);
}

export interface ExtractedBatch {
  /** The contexts of the batch, in order; their rows lie one after the other. */
  contexts: number[];
  /** [count, width], row-major; valid until the next batch is asked for. */
  rows: Float32Array;
  count: number;
}

/** Rows of the contexts listed, batch by batch in the order given. */
export async function* extractBatches(
  model: TappedModel,
  contexts: Contexts,
  list: readonly number[] | Uint32Array,
  control: Control,
  batchContexts = defaultBatchContexts,
): AsyncGenerator<ExtractedBatch, void, undefined> {
  const extractor = new ContextExtractor(model, contexts);
  let rows = new Float32Array(0);
  for (let first = 0; first < list.length; first += batchContexts) {
    await control.breathe();
    const batch = Array.from(list.slice(first, first + batchContexts));
    const values = batch.reduce((sum, context) => sum + contexts.rowCount(context), 0) * model.width;
    if (rows.length < values) rows = new Float32Array(values);
    const count = await extractor.extract(batch, rows);
    yield { contexts: batch, rows, count };
  }
}

export interface ExtractToStore {
  model: TappedModel;
  contexts: Contexts;
  /** From `ActivationStore.create`; contexts that it already holds are not computed again. */
  store: StoreWriter;
  control: Control;
  /** Called after each batch with contexts and rows stored so far, those of an earlier attempt included. */
  onProgress: (progress: { contexts: number; totalContexts: number; rows: number }) => void;
  batchContexts?: number;
}

/** Stores the rows of every context, held-out ones too: group i of the store is context i. */
export async function extractToStore(options: ExtractToStore): Promise<void> {
  const { model, contexts, store, control, onProgress, batchContexts } = options;
  const left = Uint32Array.from({ length: contexts.count - store.groups }, (_, i) => store.groups + i);
  for await (const batch of extractBatches(model, contexts, left, control, batchContexts)) {
    const groups = batch.contexts.map((context): Group => {
      return { rows: contexts.rowCount(context), sample: context, position: contexts.rowPositions(context)[0] ?? 0 };
    });
    await store.append(batch.rows, groups);
    onProgress({ contexts: store.groups, totalContexts: contexts.count, rows: store.rows });
  }
  await store.finish((context) => contexts.heldOut(context));
}
