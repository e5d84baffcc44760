import { readFileSync } from 'node:fs';
import { failure, inputError, WorkbenchError } from '../../shared/errors.js';
import { createSession, ort } from '../ort.js';
import { embeddingRows } from './embedding.js';
import { stageModel, weightFiles, type StagedModel } from './external-weights.js';
import { Feeds } from './feeds.js';
import type { ModelFiles } from './files.js';
import { readGraph, unreadable, type Graph } from './graph.js';
import type { Hook } from './hooks.js';
import { encodeModel, type ModelProto } from './onnx.js';
import { isFlat, lastDim } from './shapes.js';
import { cutModel, logitsOf, spliceModel, spliceNames } from './tap.js';
import { profiler } from '../profile.js';

export interface SessionOptions {
  threads: number;
  /** The model's graph, if it has been read already. */
  graph?: Graph;
}

/** ONNX Runtime's message without its location and its stack. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n', 1)[0] ?? '').replace(/\.$/, '');
}

/** A graph loaded into ONNX Runtime, with what it was written to if it had to be. */
class LoadedModel {
  private constructor(
    readonly session: ort.InferenceSession,
    readonly path: string,
    readonly staged: StagedModel | null,
  ) {}

  static async load(graph: Graph, model: ModelProto, threads: number): Promise<LoadedModel> {
    const staged = weightFiles(model).length > 0 ? stageModel(graph, model) : null;
    try {
      const session = await createSession(staged?.file ?? encodeModel(model), threads);
      return new LoadedModel(session, graph.path, staged);
    } catch (error) {
      throw unreadable(graph.path, `could not be loaded: ${firstLine(error)}`);
    } finally {
      staged?.remove();
    }
  }

  /** `into` receives the output, where its shape is known. */
  async run(feeds: Record<string, ort.Tensor>, into?: ort.Tensor): Promise<ort.Tensor> {
    const name = this.session.outputNames[0]!;
    try {
      const results = await profiler.spend('forward', () => this.session.run(feeds, into ? { [name]: into } : [name]));
      return results[name]!;
    } catch (error) {
      const line = firstLine(error);
      // Left as it is, so that it is recognised for what it is.
      if (/bad_alloc|allocate/i.test(line)) throw error;
      const hint =
        'Check that model and tokenizer belong together and that context_size is not more than the model takes.';
      throw failure('model_unreadable', `${this.path} could not be run: ${line}.`, hint, { cause: error });
    }
  }

  async dispose(): Promise<void> {
    await this.session.release();
    this.staged?.remove();
  }
}

/** The longest input config.json admits, under the names that architectures have for it. */
function maxContextOf(files: ModelFiles): number | null {
  if (files.config === null) return null;
  let config: Record<string, unknown>;
  try {
    config = JSON.parse(readFileSync(files.config, 'utf8')) as Record<string, unknown>;
  } catch {
    throw unreadable(files.config, 'is not JSON');
  }
  const names = ['n_positions', 'max_position_embeddings', 'n_ctx', 'max_seq_len', 'max_sequence_length'];
  const value = names.map((name) => config[name]).find((each) => typeof each === 'number' && each > 0);
  return (value as number | undefined) ?? null;
}

/** A model that stops at a hook point: what lies behind it is never computed. */
export class TappedModel {
  /** d, the width of the hook's activations. */
  readonly width: number;
  /** Most tokens of a context, or null where the model does not say. */
  readonly maxContext: number | null;
  readonly vocabSize: number | null;
  readonly #loaded: LoadedModel;
  readonly #feeds: Feeds;
  /** Whether the graph leaves the hook as [batch · sequence, width]. */
  readonly #flat: boolean;
  /** Written again by every batch of the same shape: fresh outputs would be collected far too late. */
  #output: ort.Tensor | undefined;

  private constructor(loaded: LoadedModel, feeds: Feeds, dims: readonly number[], files: ModelFiles, graph: Graph) {
    this.width = dims.at(-1)!;
    this.#flat = dims.length === 2;
    this.maxContext = maxContextOf(files);
    this.vocabSize = embeddingRows(graph);
    this.#loaded = loaded;
    this.#feeds = feeds;
  }

  /**
   * Cuts the model at the hook and loads what is left, then runs it once on six tokens to see the hook's true shape.
   * @throws WorkbenchError `model_unreadable`; `hook_not_found` if the tensor is not [batch, sequence, width].
   */
  static async open(files: ModelFiles, hook: Hook, { threads, graph: read }: SessionOptions): Promise<TappedModel> {
    const graph = read ?? readGraph(files.onnx);
    const model = cutModel(graph, hook.tensor);
    const feeds = new Feeds(
      graph,
      (model.graph?.input ?? []).map(({ name }) => name ?? ''),
    );
    const loaded = await LoadedModel.load(graph, model, threads);
    try {
      const { dims } = await loaded.run(feeds.fill(new Int32Array(6), Int32Array.of(3, 3), 3));
      const batch = dims.slice(0, -1).join();
      if (batch !== '2,3' && batch !== '6') {
        const sentence = `${hook.name} has the shape [${dims.join(', ')}] for 2 contexts of 3 tokens, not [2, 3, width].`;
        throw inputError('hook_not_found', sentence, 'Choose one of the hook points "iw hooks" lists.', 'hook_name');
      }
      return new TappedModel(loaded, feeds, dims, files, graph);
    } catch (error) {
      await loaded.dispose();
      throw error instanceof WorkbenchError && error.problem.code === 'model_unreadable'
        ? inputError('model_unreadable', error.problem.message, error.problem.hint, 'model')
        : error;
    }
  }

  /**
   * The hook's activations of a batch, [rows, cols, width] in float32, valid until the next run; one run at a time. Values at
   * padding mean nothing.
   * @param ids [rows, cols] token ids, each row filled up on its right with any id of the vocabulary.
   * @param lengths [rows] how many ids of each row are text.
   */
  async run(ids: Int32Array, lengths: Int32Array, cols: number): Promise<Float32Array> {
    const rows = lengths.length;
    const dims = this.#flat ? [rows * cols, this.width] : [rows, cols, this.width];
    if (this.#output?.dims.join() !== dims.join()) {
      this.#output = new ort.Tensor('float32', new Float32Array(rows * cols * this.width), dims);
    }
    const { data } = await this.#loaded.run(this.#feeds.fill(ids, lengths, cols), this.#output);
    return data as Float32Array;
  }

  dispose(): Promise<void> {
    return this.#loaded.dispose();
  }
}

/** Most bytes of log-probabilities, [contexts, cols, vocabulary] twice, that one run may hold. */
const spliceBytes = 2 ** 24;

/** The model behind a hook point: takes the hook's activations from outside and gives the loss of every next token. */
export class SplicedModel {
  readonly #loaded: LoadedModel;
  readonly #feeds: Feeds;
  readonly #vocabulary: number;
  readonly #flat: boolean;

  private constructor(loaded: LoadedModel, feeds: Feeds, vocabulary: number, flat: boolean) {
    this.#loaded = loaded;
    this.#feeds = feeds;
    this.#vocabulary = vocabulary;
    this.#flat = flat;
  }

  /** @throws WorkbenchError `model_unreadable`, also for a model without logits. */
  static async open(files: ModelFiles, hook: Hook, { threads, graph: read }: SessionOptions): Promise<SplicedModel> {
    const graph = read ?? readGraph(files.onnx);
    const model = spliceModel(graph, hook.tensor);
    const feeds = new Feeds(
      graph,
      (model.graph?.input ?? []).map(({ name }) => name ?? ''),
    );
    const vocabulary = lastDim(graph, logitsOf(graph)!) ?? embeddingRows(graph) ?? 2 ** 16;
    return new SplicedModel(
      await LoadedModel.load(graph, model, threads),
      feeds,
      vocabulary,
      isFlat(graph, hook.tensor),
    );
  }

  /**
   * Cross entropy of each position's next token in nats, [rows, cols], with the hook's activations replaced by
   * `hookValues`, [rows, cols, width]. Position t predicts ids[t + 1]; positions without a next token of their text give 0.
   */
  async nll(hookValues: Float32Array, ids: Int32Array, lengths: Int32Array, cols: number): Promise<Float32Array> {
    const rows = lengths.length;
    const width = hookValues.length / (rows * cols);
    const step = Math.max(1, Math.floor(spliceBytes / (8 * cols * this.#vocabulary)));
    const result = new Float32Array(rows * cols);
    for (let first = 0; first < rows; first += step) {
      const last = Math.min(rows, first + step);
      const labels = new BigInt64Array((last - first) * cols);
      const own = ids.subarray(first * cols, last * cols);
      const ownLengths = lengths.subarray(first, last);
      const predicted = (row: number, t: number) => t + 1 < ownLengths[row]!;
      const everyPosition = (visit: (at: number, row: number, t: number) => void) => {
        for (let at = 0; at < labels.length; at++) visit(at, Math.floor(at / cols), at % cols);
      };
      everyPosition((at, row, t) => {
        if (predicted(row, t)) labels[at] = BigInt(own[at + 1]!);
      });
      const values = hookValues.subarray(first * cols * width, last * cols * width);
      const { data } = await this.#loaded.run({
        ...this.#feeds.fill(own, ownLengths, cols),
        [spliceNames.hook]: new ort.Tensor(
          'float32',
          values,
          this.#flat ? [labels.length, width] : [last - first, cols, width],
        ),
        [spliceNames.labels]: new ort.Tensor('int64', labels, [last - first, cols]),
      });
      everyPosition((at, row, t) => {
        if (predicted(row, t)) result[first * cols + at] = (data as Float32Array)[at]!;
      });
    }
    return result;
  }

  dispose(): Promise<void> {
    return this.#loaded.dispose();
  }
}
