import { ContextExtractor, defaultBatchContexts } from '../src/engine/activations/extract.js';
import { cutAt } from '../src/engine/model/tap.js';
import { createSession, ort } from '../src/engine/ort.js';
import type { Contexts } from '../src/engine/text/contexts.js';
import { withDemo } from './demo.js';
import { ratio, type Part } from './part.js';
import { inTurns, ratioSpread, spread, time } from './statistics.js';

interface Batch {
  contexts: number[];
  feeds: Record<string, ort.Tensor>;
}

/** The tensors of a batch, made beforehand: the bare loop does nothing but run the graph. */
function bareBatch(list: readonly number[], contexts: Contexts, inputs: readonly string[]): Batch {
  const columns = Math.max(...list.map((context) => contexts.length(context)));
  const ids = new BigInt64Array(list.length * columns);
  const mask = new BigInt64Array(list.length * columns);
  for (const [row, context] of list.entries()) {
    for (const [position, id] of contexts.ids(context).entries()) {
      ids[row * columns + position] = BigInt(id);
      mask[row * columns + position] = 1n;
    }
  }
  const all = { input_ids: ids, attention_mask: mask };
  const used = Object.entries(all).filter(([name]) => inputs.includes(name));
  const tensor = (data: BigInt64Array) => new ort.Tensor('int64', data, [list.length, columns]);
  return { contexts: [...list], feeds: Object.fromEntries(used.map(([name, data]) => [name, tensor(data)])) };
}

/**
 * Extraction (tokenised contexts on disk → rows in memory) against ONNX Runtime alone over the same cut graph and the same
 * batches, in turns.
 */
export const extraction: Part = {
  title: 'Extraction and a bare ONNX Runtime loop, in turns',
  async run({ smoke, threads }) {
    const config = { layer_idx: 2, max_samples: smoke ? 40 : 200, held_out_fraction: 0 };
    return withDemo(config, threads, async ({ opened, contexts }) => {
      const { graph, hook, model, files } = opened;
      const bare = await createSession(cutAt(graph, hook.tensor), threads);
      const batches = Array.from({ length: smoke ? 1 : 8 }, (_, i) =>
        bareBatch(
          Array.from({ length: defaultBatchContexts }, (_, at) => i * defaultBatchContexts + at),
          contexts,
          bare.inputNames,
        ),
      );
      const extractor = new ContextExtractor(model, contexts);
      const out = new Float32Array(defaultBatchContexts * contexts.contextSize * model.width);
      const each = (work: (batch: Batch) => Promise<unknown>) => async () => {
        let ms = 0;
        for (const batch of batches) ms += await time(() => work(batch));
        return ms;
      };
      const [theirs = [], ours = []] = await inTurns(
        [each(({ feeds }) => bare.run(feeds)), each(({ contexts: list }) => extractor.extract(list, out))],
        { rounds: smoke ? 2 : 7 },
      );
      await bare.release();
      const used = batches.flatMap((batch) => batch.contexts);
      const tokens = used.reduce((sum, context) => sum + contexts.length(context), 0);
      const perSecond = (ms: readonly number[]) => (1000 * tokens) / spread(ms).median;
      const efficiency = ratioSpread(theirs, ours);
      const data = {
        model: files.name,
        hook: hook.name,
        contexts: used.length,
        tokens,
        efficiency,
        tokens_per_second: perSecond(ours),
        bare_tokens_per_second: perSecond(theirs),
      };
      const at = `${files.name}, ${hook.name}: ${perSecond(ours).toFixed(0)} tokens/s`;
      return {
        data,
        rows: [{ what: 'bare ONNX Runtime loop / extraction', measured: ratio(efficiency), limit: '1', at }],
      };
    });
  },
};
