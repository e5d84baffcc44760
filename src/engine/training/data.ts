import { createHash } from 'node:crypto';
import path from 'node:path';
import { cacheDir } from '../../run/layout.js';
import { resolveConfig, type ResolvedConfig, type SaeConfig } from '../../shared/config.js';
import { dataDefaults } from '../../shared/defaults.js';
import { bytesNeeded, checkDiskSpace, formatBytes } from '../activations/disk-space.js';
import { extractToStore } from '../activations/extract.js';
import { ActivationFile } from '../activations/parquet-file.js';
import { importActivations } from '../activations/parquet-read.js';
import { ExtractingSource } from '../activations/extracting-source.js';
import type { ActivationSource } from '../activations/source.js';
import { StoredSource } from '../activations/stored-source.js';
import type { StoreType } from '../activations/shard.js';
import { ActivationStore } from '../activations/store.js';
import type { TaskContext } from '../context.js';
import { contextSize, openModel, textFiles, tokenize, type OpenedModel } from '../data/language-data.js';
import { hashFile } from '../data/provenance.js';
import { modelBlocks, storeBlocks, type PlacedRows } from '../evaluation/blocks.js';
import type { Progress } from '../progress.js';
import type { Contexts } from '../text/contexts.js';
import { checkMemory } from './memory.js';
import type { Inputs } from './same-run.js';

/** What a run trains on and is evaluated with. */
export interface TrainingData {
  config: ResolvedConfig;
  source: ActivationSource;
  /** Groups of rows (contexts, or samples of recorded activations) that were trained on, and held out. */
  trainGroups: Uint32Array;
  heldOutGroups: Uint32Array;
  rowCount: (group: number) => number;
  blocks: (groups: Uint32Array) => AsyncIterable<PlacedRows>;
  /** The language model and its text; null for recorded activations. */
  language: { opened: OpenedModel; contexts: Contexts } | null;
  /** What decided the data: hashes of the model and the text, or of the recorded activations. */
  inputs: Inputs;
  dispose: () => Promise<void>;
}

interface Preparation {
  runDir: string;
  config: SaeConfig;
  threads: number;
  context: TaskContext;
  progress: Progress;
  /** Most memory that the training may take; absent, the machine's. */
  memoryLimitBytes?: number | undefined;
  /** Is shown what the data will be made from before anything is written, and may refuse it. */
  checkInputs: (inputs: Inputs) => void;
}

/** Gets a run's activations ready: from recorded ones, or from a model and text. */
export function prepareData(preparation: Preparation): Promise<TrainingData> {
  return preparation.config.activation_data_path === undefined ? fromModel(preparation) : recorded(preparation);
}

async function recorded(preparation: Preparation): Promise<TrainingData> {
  const { runDir, config, context, progress, memoryLimitBytes, checkInputs } = preparation;
  const { control, log } = context;
  const file = config.activation_data_path!;
  log('training', 'INFO', `Reading recorded activations from ${file}...`);
  progress.begin('preparing', 'extracting');
  checkBeforehand(config, await recordedWidth(file), memoryLimitBytes);
  const inputs = { activations: await hashFile(file) };
  checkInputs(inputs);
  const cache = recordedCacheOf(config);
  const store = await importActivations({
    path: file,
    dir: cacheDir(runDir),
    dtype: cache,
    layer: config.layer_idx,
    maxSamples: config.max_samples,
    heldOutFraction: config.held_out_fraction ?? dataDefaults.held_out_fraction,
    seed: config.seed ?? dataDefaults.seed,
    control,
    onProgress: ({ rows, totalRows }) => {
      progress.advance(rows / totalRows);
    },
  });
  const source = new StoredSource(store, { seed: config.seed ?? dataDefaults.seed });
  const resolved = resolveConfig(config, store.width, source.rowsPerEpoch);
  checkMemory(resolved, store.width, source.rowsPerEpoch, memoryLimitBytes);
  log('training', 'INFO', `${store.rows} activations of width ${store.width}, ${source.rowsPerEpoch} to train on`);
  return {
    config: { ...resolved, activation_cache: cache },
    source,
    ...storedGroups(store, null, context),
    language: null,
    inputs,
    dispose: () => store.close(),
  };
}

/** The type in which recorded activations are kept: they have to be, to be mixed. */
export function recordedCacheOf({ activation_cache }: SaeConfig): StoreType {
  return activation_cache === 'float16' ? 'float16' : 'float32';
}

/** The width of recorded activations. @throws WorkbenchError where the file cannot be read as such. */
async function recordedWidth(path: string): Promise<number> {
  const file = await ActivationFile.open(path);
  await file.close();
  return file.width;
}

/** Refuses what cannot be trained whatever the amount of data: the shuffle buffer's part is known when that is. */
export function checkBeforehand(config: SaeConfig, width: number, memoryLimitBytes?: number): void {
  checkMemory(resolveConfig(config, width, Infinity), width, 0, memoryLimitBytes);
}

/** A configuration with every default filled in, of a run on a model's text with so many training rows. */
export function resolveForModel(config: SaeConfig, { model, hook }: OpenedModel, trainRows: number): ResolvedConfig {
  return {
    ...resolveConfig(config, model.width, trainRows),
    context_size: contextSize(config, model),
    hook_name: hook.name,
    layer_idx: undefined,
  };
}

/** How a run on a model's text keeps its activations: what is read once only is not kept. */
export function cacheOf({ max_epochs, activation_cache }: ResolvedConfig): ResolvedConfig['activation_cache'] {
  return max_epochs > 1 ? activation_cache : 'none';
}

async function fromModel(preparation: Preparation): Promise<TrainingData> {
  const { runDir, config, threads, context, progress, memoryLimitBytes } = preparation;
  const { control, log } = context;
  progress.begin('preparing', 'loading_model');
  log('model', 'INFO', `Loading model ${config.model ?? 'bundled:demo-gpt2'}...`);
  const opened = await openModel(config, threads);
  const { model, hook, files } = opened;
  checkBeforehand(config, model.width, memoryLimitBytes);
  const model256 = await hashFile(files.onnx);
  const inputs = { model: model256, text: await Promise.all(textFiles(config).map(({ path }) => hashFile(path))) };
  preparation.checkInputs(inputs);
  // finished contexts are used again wherever their settings fit: their folder says of which text they are
  const text256 = sha256([inputs.text.map((file) => file.sha256), config.max_samples]);
  const dir = cacheDir(runDir);
  const contexts = await tokenize(config, opened, {
    dir: path.join(dir, `text-${text256.slice(0, 16)}`),
    control,
    progress,
  });
  log(
    'model',
    'INFO',
    `${contexts.tokens} tokens in ${contexts.count} contexts of ${contexts.documentCount} documents`,
  );
  const dispose = async () => {
    await model.dispose();
    contexts.close();
  };
  const seed = config.seed ?? dataDefaults.seed;
  const resolved = resolveForModel(config, opened, contexts.trainRows);
  checkMemory(resolved, model.width, contexts.trainRows, memoryLimitBytes);
  const language = { opened, contexts };
  const cache = cacheOf(resolved);
  if (cache === 'none') {
    return {
      config: resolved,
      source: new ExtractingSource(model, contexts, { seed, half: resolved.activation_cache === 'float16' }),
      trainGroups: contexts.trainContexts,
      heldOutGroups: contexts.heldOutContexts,
      rowCount: (group) => contexts.rowCount(group),
      blocks: (groups) => modelBlocks(model, contexts, groups, control),
      language,
      inputs,
      dispose,
    };
  }
  const { exclude_first_position, held_out_fraction } = resolved;
  const identity = sha256([
    model256.sha256,
    hook.tensor,
    contexts.sha256,
    cache,
    exclude_first_position,
    held_out_fraction,
    seed,
  ]);
  let store = await ActivationStore.find(dir, identity);
  if (!store) {
    const writer = await ActivationStore.create(dir, { width: model.width, dtype: cache, identity });
    const rows = contexts.trainRows + contexts.heldOutRows;
    const bytes = bytesNeeded(rows - writer.rows, model.width, cache);
    await checkDiskSpace(dir, bytes);
    log('model', 'INFO', `Extracting ${rows} activations of ${hook.name}, ${formatBytes(bytes)} in ${dir}`);
    progress.begin('preparing', 'extracting', rows, writer.rows, 1);
    try {
      await extractToStore({
        model,
        contexts,
        store: writer,
        control,
        onProgress: (done) => {
          progress.advance(done.rows);
        },
      });
    } finally {
      await writer.dispose();
    }
    store = await ActivationStore.open(dir);
  }
  const opening = store;
  return {
    config: resolved,
    source: new StoredSource(store, { seed }),
    ...storedGroups(store, contexts, context),
    language,
    inputs,
    dispose: async () => {
      await opening.close();
      await dispose();
    },
  };
}

function sha256(values: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex');
}

function storedGroups(store: ActivationStore, contexts: Contexts | null, { control }: TaskContext) {
  return {
    trainGroups: store.trainGroups,
    heldOutGroups: store.heldOutGroups,
    rowCount: (group: number) => store.rowCount(group),
    blocks: (groups: Uint32Array) => storeBlocks(store, groups, contexts, control),
  };
}
