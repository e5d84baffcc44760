import { extractBatches } from '../activations/extract.js';
import type { ActivationStore } from '../activations/store.js';
import type { Control } from '../control.js';
import type { TappedModel } from '../model/session.js';
import type { Codes, Inferred } from '../sae/infer.js';
import type { Contexts } from '../text/contexts.js';
import type { Inference } from './metrics.js';

/** Activations together with where in the text each row is from. */
export interface PlacedRows {
  /** [count, d], row-major; valid until the next block is asked for. */
  rows: Float32Array;
  count: number;
  /** Context, or sample of recorded activations, of each row. */
  samples: Uint32Array;
  /** Position of each row in its context. */
  positions: Uint32Array;
}

const storeBlockRows = 4096;

/** Runs the model over the contexts listed. */
export async function* modelBlocks(
  model: TappedModel,
  contexts: Contexts,
  list: Uint32Array,
  control: Control,
): AsyncGenerator<PlacedRows, void, undefined> {
  for await (const { rows, count, contexts: batch } of extractBatches(model, contexts, list, control)) {
    const samples = new Uint32Array(count);
    const positions = new Uint32Array(count);
    let row = 0;
    for (const context of batch) {
      const wanted = contexts.rowPositions(context);
      samples.fill(context, row, row + wanted.length);
      positions.set(wanted, row);
      row += wanted.length;
    }
    yield { rows, count, samples, positions };
  }
}

/** Reads the groups listed; `contexts` knows the rows' positions where groups are contexts, else they are consecutive. */
export async function* storeBlocks(
  store: ActivationStore,
  list: Uint32Array,
  contexts: Contexts | null,
  control: Control,
): AsyncGenerator<PlacedRows, void, undefined> {
  for (let first = 0; first < list.length;) {
    await control.breathe();
    let count = 0;
    let end = first;
    while (end < list.length && (end === first || count + store.rowCount(list[end]!) <= storeBlockRows)) {
      count += store.rowCount(list[end++]!);
    }
    const rows = new Float32Array(count * store.width);
    const samples = new Uint32Array(count);
    const positions = new Uint32Array(count);
    let row = 0;
    for (const group of list.subarray(first, end)) {
      const read = await store.readGroup(group, rows.subarray(row * store.width));
      const { sample, position } = store.group(group);
      samples.fill(sample, row, row + read);
      positions.set(contexts?.rowPositions(group) ?? Uint32Array.from({ length: read }, (_, i) => position + i), row);
      row += read;
    }
    yield { rows, count, samples, positions };
    first = end;
  }
}

/** Rows with what the SAE made of them; valid until the next are asked for. */
type Encoded<T> = AsyncGenerator<PlacedRows & { codes: T }, void, undefined>;

/** The active latents of blocks. */
export function encodeBlocks(
  inference: Inference,
  width: number,
  blocks: AsyncIterable<PlacedRows>,
  control: Control,
): Encoded<Codes> {
  return inPieces(inference.maxRows, width, blocks, control, (rows, count) => inference.encode(rows, count));
}

/** The same with the reconstructions. */
export function reconstructBlocks(
  inference: Inference,
  width: number,
  blocks: AsyncIterable<PlacedRows>,
  control: Control,
): Encoded<Inferred> {
  return inPieces(inference.maxRows, width, blocks, control, (rows, count) => inference.run(rows, count));
}

async function* inPieces<T>(
  maxRows: number,
  width: number,
  blocks: AsyncIterable<PlacedRows>,
  control: Control,
  work: (rows: Float32Array, count: number) => Promise<T>,
): Encoded<T> {
  for await (const block of blocks) {
    for (let start = 0; start < block.count; start += maxRows) {
      await control.breathe();
      const end = Math.min(block.count, start + maxRows);
      const rows = block.rows.subarray(start * width, end * width);
      yield {
        rows,
        count: end - start,
        samples: block.samples.subarray(start, end),
        positions: block.positions.subarray(start, end),
        codes: await work(rows, end - start),
      };
    }
  }
}

/**
 * Members of `list`, evenly spread over it, of at most `most` tokens together; always at least one. A limit that took only
 * the beginning would measure the first documents instead of the text.
 */
export function spread(list: Uint32Array, tokens: (member: number) => number, most: number): Uint32Array {
  const total = list.reduce((sum, member) => sum + tokens(member), 0);
  if (total <= most) return list;
  let seen = 0;
  let taken = 0;
  const kept = list.filter((member) => {
    const count = tokens(member);
    seen += count;
    if (taken + count > (most / total) * seen) return false;
    taken += count;
    return true;
  });
  return kept.length > 0 ? kept : list.slice(0, 1);
}
