import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveConfig, totalSteps, type ResolvedConfig } from '../../shared/config.js';
import { memoryNeeded } from '../../shared/memory.js';
import type { Estimate, EstimateTask } from '../../shared/messages.js';
import { bytesNeeded, checkDiskSpace } from '../activations/disk-space.js';
import { ActivationFile } from '../activations/parquet-file.js';
import type { StoreType } from '../activations/shard.js';
import type { TaskContext } from '../context.js';
import { openModel } from '../data/language-data.js';
import { diskBytes, type Amounts } from '../estimate/amounts.js';
import { countRecorded, measureReading } from '../estimate/recorded.js';
import { RowSample } from '../estimate/row-sample.js';
import { measureExtraction, measureStep } from '../estimate/speed.js';
import { sampleText } from '../estimate/text.js';
import { cacheOf, checkBeforehand, recordedCacheOf, resolveForModel } from '../training/data.js';
import { finishSeconds, finishWork } from '../training/estimate.js';
import { checkMemory } from '../training/memory.js';

/** What is known of a training's data after looking at a little of it. */
interface Data {
  config: ResolvedConfig;
  width: number;
  amounts: Amounts;
  cache: StoreType | 'none';
  sample: RowSample;
  /** Whether there is a model, to evaluate with. */
  language: boolean;
  seconds: { loading: number; tokenizing: number; perRow: number };
}

/**
 * Estimates what a training takes: resolves its configuration as the training would, counts or samples its data, and times a
 * little of the real work. A few seconds, besides loading the model.
 * @throws WorkbenchError what the training would be refused with; Cancelled.
 */
export async function runEstimate(task: EstimateTask, context: TaskContext): Promise<Estimate> {
  const threads = task.config.threads ?? context.threads;
  const recorded = task.config.activation_data_path !== undefined;
  const data = await (recorded ? fromRecorded(task, context) : fromModel(task, context, threads));
  const { config, width, amounts, cache } = data;
  checkMemory(config, width, amounts.train, task.memoryLimitBytes);
  const { output_dir: out } = task.config;
  if (out !== undefined && cache !== 'none') {
    await checkDiskSpace(out, bytesNeeded(amounts.train + amounts.heldOut, width, cache));
  }
  context.log('training', 'DEBUG', `Trying steps of ${config.batch_size} tokens with ${config.latent_dim} latents`);
  const step = await measureStep(config, data.sample, threads, context.control);
  return complete(data, step);
}

async function fromModel(task: EstimateTask, { control }: TaskContext, threads: number): Promise<Data> {
  const start = performance.now();
  const opened = await openModel(task.config, threads);
  const { model } = opened;
  const loading = (performance.now() - start) / 1000;
  const scratch = await mkdtemp(join(tmpdir(), 'iw-estimate-'));
  try {
    checkBeforehand(task.config, model.width, task.memoryLimitBytes);
    const { contexts, amounts, seconds: tokenizing } = await sampleText(task.config, opened, scratch, control);
    try {
      const config = resolveForModel(task.config, opened, amounts.train);
      const sample = new RowSample(model.width);
      const perRow = await measureExtraction(model, contexts, sample, control);
      const seconds = { loading, tokenizing, perRow };
      return { config, width: model.width, amounts, cache: cacheOf(config), sample, language: true, seconds };
    } finally {
      contexts.close();
    }
  } finally {
    await model.dispose();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function fromRecorded({ config, memoryLimitBytes }: EstimateTask, { control }: TaskContext): Promise<Data> {
  const file = await ActivationFile.open(config.activation_data_path!);
  try {
    const { width } = file;
    checkBeforehand(config, width, memoryLimitBytes);
    const amounts = await countRecorded(file, config, control);
    const sample = new RowSample(width);
    const seconds = { loading: 0, tokenizing: 0, perRow: await measureReading(file, sample, control) };
    const resolved = resolveConfig(config, width, amounts.train);
    const cache = recordedCacheOf(config);
    return {
      config: { ...resolved, activation_cache: cache },
      width,
      amounts,
      cache,
      sample,
      language: false,
      seconds,
    };
  } finally {
    await file.close();
  }
}

/** The whole job, from the speed of its parts. */
function complete({ config, width, amounts, cache, language, seconds }: Data, step: number): Estimate {
  const { train, heldOut, exact } = amounts;
  const steps = totalSteps(config, train);
  const tokens = steps * config.batch_size;
  const buffered = Math.min(config.shuffle_buffer_tokens, train);
  const computed = cache === 'none' ? seconds.perRow * Math.max(0, tokens - buffered) : 0;
  const training = steps * step + computed;
  const finish = finishSeconds(finishWork(config, width, amounts, language), training / tokens);
  const byPhase = {
    loading_model: seconds.loading,
    tokenizing: seconds.tokenizing,
    extracting: seconds.perRow * (cache === 'none' ? buffered : train + heldOut),
    training,
    ...finish,
  };
  return {
    config,
    width,
    tokens_per_epoch: train,
    exact,
    steps,
    tokens,
    tokens_per_second: {
      extracting: 1 / seconds.perRow,
      training: config.batch_size / step,
      both: tokens / (byPhase.extracting + byPhase.training),
    },
    seconds: Object.values(byPhase).reduce((sum, each) => sum + each, 0),
    seconds_by_phase: byPhase,
    disk_bytes: diskBytes(config, width, amounts, cache, training),
    memory_bytes: memoryNeeded(config, width, train).total,
  };
}
