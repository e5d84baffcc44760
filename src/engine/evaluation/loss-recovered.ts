import type { Evaluation } from '../../shared/messages.js';
import type { Control } from '../control.js';
import type { SplicedModel, TappedModel } from '../model/session.js';
import type { Contexts } from '../text/contexts.js';
import { spread } from './blocks.js';
import type { Inference } from './metrics.js';

/** The language model around the SAE's hook point, and the text to measure it on. */
export interface LanguageModel {
  tapped: TappedModel;
  spliced: SplicedModel;
  contexts: Contexts;
  /** The contexts to choose from. */
  list: Uint32Array;
  /** Most tokens predicted. */
  maxTokens: number;
}

const arms = ['clean', 'sae', 'zero', 'mean'] as const;
type Arm = (typeof arms)[number];

/** Contexts per run of the model. */
const batchContexts = 32;

interface Batch {
  ids: Int32Array;
  lengths: Int32Array;
  columns: number;
  /** Rows of the flattened [contexts · columns] activations that the SAE stands in for. */
  replaced: Int32Array;
}

function batchOf(contexts: Contexts, members: Uint32Array): Batch {
  const lengths = Int32Array.from(members, (context) => contexts.length(context));
  const columns = lengths.reduce((most, length) => Math.max(most, length), 0);
  const ids = new Int32Array(members.length * columns);
  const replaced: number[] = [];
  members.forEach((context, row) => {
    contexts.ids(context, ids.subarray(row * columns, row * columns + lengths[row]!));
    for (const position of contexts.rowPositions(context)) replaced.push(row * columns + position);
  });
  return { ids, lengths, columns, replaced: Int32Array.from(replaced) };
}

/** x̂ of the rows given, [count, d]. */
async function reconstruct(inference: Inference, rows: Float32Array, width: number): Promise<Float32Array> {
  const out = new Float32Array(rows.length);
  const step = inference.maxRows * width;
  for (let start = 0; start < rows.length; start += step) {
    const chunk = rows.subarray(start, start + step);
    const { reconstruction } = await inference.run(chunk, chunk.length / width);
    out.set(reconstruction.subarray(0, chunk.length), start);
  }
  return out;
}

/**
 * Next-token cross entropy, in nats, of the model with its activations at the hook point as they are (clean), replaced by
 * the SAE's reconstruction, by zero and by their mean. Positions excluded from training keep their true activation in every
 * arm. Each loss is summed over the whole set before the ratio (zero − sae) / (zero − clean) is taken.
 *
 * @param mean x̄ [d], in the model's units.
 * @returns null where no token is predicted or a loss is not finite.
 */
export async function crossEntropy(
  model: LanguageModel,
  inference: Inference,
  mean: ArrayLike<number>,
  control: Control,
  onProgress: (fraction: number) => void = () => undefined,
): Promise<Evaluation['cross_entropy']> {
  const { tapped, spliced, contexts } = model;
  const { width } = tapped;
  const predictions = (context: number) => Math.max(0, contexts.length(context) - 1);
  const list = spread(model.list, predictions, model.maxTokens);
  const zero = new Float32Array(width);
  const sums: Record<Arm, number> = { clean: 0, sae: 0, zero: 0, mean: 0 };
  let tokens = 0;

  for (let first = 0; first < list.length; first += batchContexts) {
    await control.breathe();
    const batch = batchOf(contexts, list.subarray(first, first + batchContexts));
    const hidden = (await tapped.run(batch.ids, batch.lengths, batch.columns)).slice();
    const rows = new Float32Array(batch.replaced.length * width);
    batch.replaced.forEach((at, row) => {
      rows.set(hidden.subarray(at * width, (at + 1) * width), row * width);
    });
    const reconstruction = await reconstruct(inference, rows, width);
    const substitutes: Record<Arm, (row: number) => ArrayLike<number>> = {
      clean: (row) => rows.subarray(row * width, (row + 1) * width),
      sae: (row) => reconstruction.subarray(row * width, (row + 1) * width),
      zero: () => zero,
      mean: () => mean,
    };
    for (const arm of arms) {
      await control.breathe();
      batch.replaced.forEach((at, row) => {
        hidden.set(substitutes[arm](row), at * width);
      });
      const nll = await spliced.nll(hidden, batch.ids, batch.lengths, batch.columns);
      batch.lengths.forEach((length, row) => {
        for (let t = 0; t < length - 1; t++) sums[arm] += nll[row * batch.columns + t]!;
      });
    }
    tokens += batch.lengths.reduce((sum, length) => sum + Math.max(0, length - 1), 0);
    onProgress(Math.min(1, (first + batchContexts) / list.length));
  }
  if (tokens === 0 || arms.some((arm) => !Number.isFinite(sums[arm]))) return null;
  const recovered = (baseline: number) => {
    const ratio = (baseline - sums.sae) / (baseline - sums.clean);
    return Number.isFinite(ratio) ? ratio : null;
  };
  return {
    tokens,
    clean: sums.clean / tokens,
    sae: sums.sae / tokens,
    zero: sums.zero / tokens,
    mean: sums.mean / tokens,
    loss_recovered: recovered(sums.zero),
    loss_recovered_mean: recovered(sums.mean),
  };
}
