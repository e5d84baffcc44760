import type { SaeConfig } from '../../shared/config.js';
import { dataDefaults } from '../../shared/defaults.js';
import { inputError } from '../../shared/errors.js';
import type { Control } from '../control.js';
import { locateModel, type ModelFiles } from '../model/files.js';
import { readGraph, type Graph } from '../model/graph.js';
import { selectHook, type Hook } from '../model/hooks.js';
import { TappedModel } from '../model/session.js';
import { checkTokenizer, loadTokenizer, type Tokenizer } from '../model/tokenizer.js';
import type { Progress } from '../progress.js';
import { buildContexts, type BuildContexts } from '../text/build-contexts.js';
import type { Contexts } from '../text/contexts.js';
import { documents, listTextFiles, type Document, type TextFile } from '../text/documents.js';
import { profiler } from '../profile.js';

/** A model cut at a hook point, with its tokenizer. */
export interface OpenedModel {
  files: ModelFiles;
  graph: Graph;
  hook: Hook;
  tokenizer: Tokenizer;
  model: TappedModel;
}

/**
 * Opens the model of a configuration at its hook point.
 * @throws WorkbenchError about the model, the hook point or the tokenizer.
 */
export function openModel(config: SaeConfig, threads: number): Promise<OpenedModel> {
  return profiler.spend('model_load', () => open(config, threads));
}

async function open(config: SaeConfig, threads: number): Promise<OpenedModel> {
  const files = locateModel(config.model ?? 'bundled:demo-gpt2');
  const graph = readGraph(files.onnx);
  const hook = selectHook(graph, config);
  const tokenizer = loadTokenizer(files);
  checkTokenizer(tokenizer, graph);
  return { files, graph, hook, tokenizer, model: await TappedModel.open(files, hook, { threads, graph }) };
}

export interface TokenizeOptions {
  /** Where the contexts are kept. */
  dir: string;
  control: Control;
  progress: Progress;
}

export function textFiles(config: SaeConfig): TextFile[] {
  return listTextFiles(config.text ?? ['bundled:sample']);
}

/** The length of a configuration's contexts: what it asks for, else 128 or the most the model takes. */
export function contextSize(config: SaeConfig, model: TappedModel): number {
  const most = model.maxContext ?? Infinity;
  const size = config.context_size ?? Math.min(dataDefaults.context_size, most);
  if (size > most) {
    const sentence = `context_size is ${size}, but the model takes at most ${most} tokens.`;
    throw inputError('config_invalid', sentence, `Choose at most ${most}.`, 'context_size');
  }
  return size;
}

/** Tokenises a configuration's text into contexts, as the phase `tokenizing`. */
export async function tokenize(
  config: SaeConfig,
  opened: Pick<OpenedModel, 'tokenizer' | 'model'>,
  { dir, control, progress }: TokenizeOptions,
): Promise<Contexts> {
  progress.begin('preparing', 'tokenizing');
  const all = documents(textFiles(config), { maxDocuments: config.max_samples });
  return contextsOf(all, config, opened, {
    dir,
    control,
    onProgress: ({ fraction }) => {
      progress.advance(fraction);
    },
  });
}

/** The contexts that a configuration makes of documents, in the folder `dir`. */
export function contextsOf(
  all: AsyncIterable<Document>,
  config: SaeConfig,
  { tokenizer, model }: Pick<OpenedModel, 'tokenizer' | 'model'>,
  options: Pick<BuildContexts, 'dir' | 'control' | 'onProgress'>,
): Promise<Contexts> {
  return profiler.spend('tokenizing', () =>
    buildContexts({
      ...options,
      documents: all,
      tokenizer,
      contextSize: contextSize(config, model),
      prependBos: config.prepend_bos ?? dataDefaults.prepend_bos,
      excludeFirstPosition: config.exclude_first_position ?? dataDefaults.exclude_first_position,
      heldOutFraction: config.held_out_fraction ?? dataDefaults.held_out_fraction,
      seed: config.seed ?? dataDefaults.seed,
    }),
  );
}
