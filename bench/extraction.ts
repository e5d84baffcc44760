import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { ContextExtractor, defaultBatchContexts } from '../src/engine/activations/extract.js';
import { Control } from '../src/engine/control.js';
import { locateModel } from '../src/engine/model/files.js';
import { readGraph } from '../src/engine/model/graph.js';
import { selectHook } from '../src/engine/model/hooks.js';
import { TappedModel } from '../src/engine/model/session.js';
import { cutAt } from '../src/engine/model/tap.js';
import { loadTokenizer } from '../src/engine/model/tokenizer.js';
import { createSession, ort } from '../src/engine/ort.js';
import { buildContexts, type Contexts } from '../src/engine/text/contexts.js';
import { documents, listTextFiles } from '../src/engine/text/documents.js';
import { median, time } from './statistics.js';

export interface ExtractionMeasurement {
  model: string;
  hook: string;
  /** Contexts and tokens of one pass, padding not counted. */
  contexts: number;
  tokens: number;
  threads: number;
  /** Bare time / our time for the same batches: 1 would be free. */
  efficiency: number;
  tokensPerSecond: number;
  bareTokensPerSecond: number;
}

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
 * Extraction (tokenised contexts on disk → rows in memory) against ONNX Runtime alone over the same cut graph and the same batches,
 * in turns so that both meet the same machine; medians over the rounds.
 */
export async function measureExtraction(rounds = 5, batches = 8): Promise<ExtractionMeasurement> {
  const threads = cpus().length;
  const files = locateModel('bundled:demo-gpt2');
  const graph = readGraph(files.onnx);
  const hook = selectHook(graph, { layer_idx: 2 });
  const dir = await mkdtemp(path.join(tmpdir(), 'iw-bench-'));
  const model = await TappedModel.open(files, hook, { threads, graph });
  const bare = await createSession(cutAt(graph, hook.tensor), threads);
  try {
    const contexts = await buildContexts({
      documents: documents(listTextFiles(['bundled:sample']), { maxDocuments: 200 }),
      tokenizer: loadTokenizer(files),
      contextSize: 128,
      prependBos: true,
      excludeFirstPosition: true,
      heldOutFraction: 0,
      seed: 0,
      dir,
      control: new Control(),
    });
    const prepared = Array.from(
      { length: Math.min(batches, Math.floor(contexts.count / defaultBatchContexts)) },
      (_, i) =>
        bareBatch(
          Array.from({ length: defaultBatchContexts }, (_, at) => i * defaultBatchContexts + at),
          contexts,
          bare.inputNames,
        ),
    );
    const extractor = new ContextExtractor(model, contexts);
    const out = new Float32Array(defaultBatchContexts * contexts.contextSize * model.width);
    const ours: number[] = [];
    const theirs: number[] = [];
    // The first round warms up both sides.
    for (let round = 0; round <= rounds; round++) {
      let [bareMs, ourMs] = [0, 0];
      for (const batch of prepared) {
        bareMs += await time(() => bare.run(batch.feeds));
        ourMs += await time(() => extractor.extract(batch.contexts, out));
      }
      if (round === 0) continue;
      theirs.push(bareMs);
      ours.push(ourMs);
    }
    const used = prepared.flatMap((batch) => batch.contexts);
    const tokens = used.reduce((sum, context) => sum + contexts.length(context), 0);
    const perSecond = (ms: readonly number[]) => (1000 * tokens) / median(ms);
    contexts.close();
    return {
      model: files.name,
      hook: hook.name,
      contexts: used.length,
      tokens,
      threads,
      efficiency: median(theirs) / median(ours),
      tokensPerSecond: perSecond(ours),
      bareTokensPerSecond: perSecond(theirs),
    };
  } finally {
    await model.dispose();
    await bare.release();
    await rm(dir, { recursive: true, force: true });
  }
}
