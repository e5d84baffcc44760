import { existsSync } from 'node:fs';
import { makeFolders, writeFileAtomic } from '../../run/atomic.js';
import { readConfigFile } from '../../run/config-file.js';
import { configPath, newestCheckpoint, weightsPath } from '../../run/layout.js';
import { RunLock } from '../../run/lock.js';
import { appendMetrics, readProfile, truncateMetrics, writeProfile } from '../../run/records.js';
import { totalSteps, type SaeConfig } from '../../shared/config.js';
import { inputError } from '../../shared/errors.js';
import { emptyMetrics, type Metrics } from '../../shared/events.js';
import type { TrainResult, TrainTask } from '../../shared/messages.js';
import { formatBytes } from '../activations/disk-space.js';
import { ShuffleBuffer } from '../activations/shuffle-buffer.js';
import type { TaskContext } from '../context.js';
import { Cancelled } from '../control.js';
import { environment } from '../data/provenance.js';
import { peakRssBytes } from '../peak-memory.js';
import { addSeconds, profiler } from '../profile.js';
import { Progress } from '../progress.js';
import { unscale, type SaeWeights } from '../sae/weights.js';
import type { TrainingBackend } from '../training/backend.js';
import { CpuBackend } from '../training/backends/cpu/cpu.js';
import { cpuOptions } from '../training/backends/cpu/options.js';
import { readCheckpoint, restoreTensors, writeCheckpoint } from '../training/checkpoint.js';
import { prepareData, type TrainingData } from '../training/data.js';
import { finishEstimate } from '../training/estimate.js';
import { finish } from '../training/finish.js';
import { initialise } from '../training/initialise.js';
import { train } from '../training/loop.js';
import { normalise } from '../training/normalisation.js';
import { checkSameInputs, checkSameSettings } from '../training/same-run.js';

/** A run that was stopped, with the checkpoint to resume it from. */
export class Stopped extends Cancelled {
  constructor(readonly checkpoint: string | null) {
    super();
  }
}

/**
 * Trains an SAE in a run folder, from the start or from the folder's newest checkpoint.
 * @throws Stopped after a cancel; WorkbenchError.
 */
export async function runTrain(task: TrainTask, context: TaskContext): Promise<TrainResult> {
  await makeFolders(task.runDir);
  const lock = await RunLock.acquire(task.runDir, () => {
    context.log('training', 'ERROR', `Another process took over ${task.runDir}: stopping`);
    context.control.cancel();
  });
  const progress = new Progress(context.report);
  context.control.onPause((paused) => {
    progress.pause(paused);
  });
  try {
    return await trainInFolder(task, context, lock, progress);
  } catch (error) {
    if (error instanceof Cancelled) throw new Stopped(await newestCheckpoint(task.runDir));
    throw error;
  } finally {
    lock.release();
  }
}

async function trainInFolder(
  task: TrainTask,
  context: TaskContext,
  lock: RunLock,
  progress: Progress,
): Promise<TrainResult> {
  const { runDir } = task;
  const threads = task.config.threads ?? context.threads;
  const earlier = await recordedConfig(task);
  const data = await prepareData({
    runDir,
    config: task.config,
    threads,
    context,
    progress,
    memoryLimitBytes: task.memoryLimitBytes,
    checkInputs: (inputs) => {
      if (earlier) checkSameInputs(earlier, inputs);
    },
  });
  // what preparing has left, before training takes its memory
  globalThis.gc?.();
  try {
    await recordConfig(runDir, data, threads, earlier);
    const before = task.resume ? await readProfile(runDir) : null;
    const recordProfile = (recall: number | null) =>
      writeProfile(runDir, {
        seconds: before ? addSeconds(before.seconds, profiler.seconds) : profiler.seconds,
        preselection_recall: recall,
      });
    const { weights, fired, metrics, recall } = await trained(
      task,
      context,
      lock,
      progress,
      data,
      threads,
      recordProfile,
    );
    await finish({ runDir, data, weights, fired, threads, context, progress });
    await recordProfile(recall);
    const peak = peakRssBytes();
    context.log('engine', 'DEBUG', `Peak memory ${formatBytes(peak)}`);
    return { weightsPath: weightsPath(runDir), metrics, peakRssBytes: peak };
  } finally {
    await data.dispose();
  }
}

/** The complete configuration that an earlier attempt left in the folder; null if none got that far. */
async function recordedConfig({ runDir, resume }: TrainTask): Promise<SaeConfig | null> {
  const path = configPath(runDir);
  if (!existsSync(path)) return null;
  if (resume) return readConfigFile(path);
  const hint = 'Resume it with --resume, or choose another folder.';
  throw inputError('output_unusable', `${runDir} already holds a run.`, hint, 'output_dir');
}

/** Writes the complete configuration; of a run that is resumed, checks that it is still the same. */
async function recordConfig(
  runDir: string,
  data: TrainingData,
  threads: number,
  earlier: SaeConfig | null,
): Promise<void> {
  const provenance = { ...environment(threads), inputs: data.inputs };
  const complete = { ...data.config, output_dir: undefined, provenance };
  if (earlier) checkSameSettings(earlier, complete);
  await writeFileAtomic(configPath(runDir), `${JSON.stringify(complete, null, 2)}\n`);
}

interface Trained {
  /** In the model's units. */
  weights: SaeWeights;
  /** How often each latent fired in the last epoch, [n]. */
  fired: Uint32Array;
  metrics: Metrics;
  recall: number | null;
}

/** Trains an SAE, and gives back what only training needs before the rest of the run begins. */
async function trained(
  task: TrainTask,
  context: TaskContext,
  lock: RunLock,
  progress: Progress,
  data: TrainingData,
  threads: number,
  recordProfile: (recall: number | null) => Promise<void>,
): Promise<Trained> {
  const backend = await CpuBackend.create(cpuOptions(data.config, data.source.width, threads));
  let metrics: Metrics;
  try {
    metrics = await trainToTheEnd(task, context, lock, progress, data, backend, () => recordProfile(backend.recall));
  } finally {
    await backend.dispose();
  }
  // the shuffle buffer, before there are copies of the weights
  globalThis.gc?.();
  const { encoder, decoder, ...rest } = unscale(backend.weights, backend.constants.scale);
  const weights = { ...rest, encoder: new Float32Array(encoder), decoder: new Float32Array(decoder) };
  return { weights, fired: backend.fired, metrics, recall: backend.recall };
}

/** Initialises or resumes, and trains until the last step; the last metrics. */
async function trainToTheEnd(
  { runDir, resume }: TrainTask,
  { control, log }: TaskContext,
  lock: RunLock,
  progress: Progress,
  data: TrainingData,
  backend: TrainingBackend,
  recordProfile: () => Promise<void>,
): Promise<Metrics> {
  const { config, source } = data;
  const stepsPerEpoch = Math.floor(source.rowsPerEpoch / config.batch_size);
  const steps = totalSteps(config, source.rowsPerEpoch);
  const position = { step: 0, totalSteps: steps, stepsPerEpoch, batchSize: config.batch_size };
  const buffer = new ShuffleBuffer(source, {
    capacity: config.shuffle_buffer_tokens,
    batchSize: config.batch_size,
    seed: config.seed,
  });
  const checkpoint = resume ? await readCheckpoint(runDir) : null;
  const firstStep = checkpoint?.step ?? 0;
  let metrics = checkpoint?.metrics ?? emptyMetrics;
  progress.training({ ...position, step: firstStep }, metrics);
  if (firstStep < steps) progress.begin('preparing', 'extracting', buffer.capacity, 0, 1);
  if (checkpoint) {
    restoreTensors(backend.tensors, checkpoint.tensors);
    if (firstStep < steps) await buffer.restore(checkpoint.shuffle, control);
    log('training', 'INFO', `Resuming at step ${firstStep} of ${steps}`);
  } else {
    await buffer.fill(control, (rows) => {
      progress.advance(rows);
    });
    const { scale, variance, center } = await normalise(buffer.data, buffer.rows, source.width, () =>
      control.breathe(),
    );
    backend.constants = { scale, variance };
    initialise(backend.weights, center, config.tied_init, config.seed);
    log('training', 'INFO', `Starting SAE training ${describe(data)}: ${steps} steps of ${config.batch_size} tokens`);
  }
  await truncateMetrics(runDir, firstStep);

  const save = async (step: number) => {
    if (lock.lost) return;
    const written = await writeCheckpoint(runDir, { step, metrics, shuffle: buffer.state(), tensors: backend.tensors });
    await recordProfile();
    log('training', 'DEBUG', `Checkpoint ${written}`);
  };
  const expectFinish = finishEstimate(progress, data);
  const onStep = async (step: number, latest: Metrics) => {
    metrics = latest;
    progress.training({ ...position, step }, metrics);
    const rate = progress.tokensPerSecond;
    if (rate !== null) expectFinish(1 / rate);
    const epochEnds = step % stepsPerEpoch === 0 || step === steps;
    const epoch = Math.ceil(step / stepsPerEpoch);
    if (step % config.log_every_steps === 0 || step === steps) {
      const timestamp = new Date().toISOString();
      const tokens = step * config.batch_size;
      await appendMetrics(runDir, { step, epoch, tokens, tokens_per_second: rate, metrics, timestamp });
    }
    progress.advance(step);
    if (epochEnds) {
      progress.report();
      log('training', 'INFO', `Epoch ${epoch}/${Math.ceil(steps / stepsPerEpoch)}: ${summary(metrics)}`);
    }
  };
  progress.begin('training', 'training', steps, firstStep, config.batch_size);
  try {
    await train({ config, backend, buffer, control, firstStep, totalSteps: steps, stepsPerEpoch, onStep, save });
  } finally {
    // However it ends, what is shown is what was reached.
    progress.report();
  }
  return metrics;
}

function describe({ config, language }: TrainingData): string {
  const where = language ? `for ${language.opened.hook.name}` : 'on recorded activations';
  return `${where} (${config.architecture}, ${config.latent_dim} latents)`;
}

function summary(metrics: Metrics): string {
  const round = (value: number | null) => (value === null ? '-' : Number(value.toPrecision(5)));
  return Object.entries(metrics)
    .map(([name, value]) => `${name}=${round(value)}`)
    .join(' ');
}
