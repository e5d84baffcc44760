import type { ResolvedConfig } from '../../shared/config.js';
import { failure } from '../../shared/errors.js';
import type { Metrics } from '../../shared/events.js';
import type { ShuffleBuffer } from '../activations/shuffle-buffer.js';
import { Cancelled, type Control } from '../control.js';
import type { StepResult, TrainingBackend } from './backend.js';
import { learningRate, sparsityCoef } from './schedule.js';

export interface TrainingRun {
  config: ResolvedConfig;
  backend: TrainingBackend;
  buffer: ShuffleBuffer;
  control: Control;
  /** Steps already taken, when resuming: the buffer, the backend and the newest checkpoint stand there too. */
  firstStep: number;
  totalSteps: number;
  stepsPerEpoch: number;
  /** After every step. */
  onStep: (step: number, metrics: Metrics) => Promise<void>;
  /** Writes a checkpoint of the present state. */
  save: (step: number) => Promise<void>;
}

/** Trains until the last step, and ends with a checkpoint. @throws Cancelled between two steps, after a checkpoint. */
export async function train(run: TrainingRun): Promise<void> {
  const { config, backend, buffer, control, totalSteps, stepsPerEpoch } = run;
  const { width } = backend.weights;
  const { variance } = backend.constants;
  let step = run.firstStep;
  let drawn = false;
  let savedAt = performance.now();
  let savedStep = step > 0 ? step : -1;
  const save = async () => {
    if (savedStep === step) return;
    await run.save(step);
    savedStep = step;
    savedAt = performance.now();
  };
  try {
    while (step < totalSteps) {
      const epoch = Math.floor(step / stepsPerEpoch);
      if (buffer.epoch !== epoch) {
        buffer.startEpoch(epoch);
        // an epoch that max_tokens cuts short is too little to call a latent dead: it adds to the one before
        if (totalSteps - step >= stepsPerEpoch) backend.startEpoch();
      }
      await buffer.fill(control);
      drawn = buffer.draw((row, i) => {
        backend.input.set(buffer.data.subarray(row * width, (row + 1) * width), i * width);
      });
      const rate = learningRate(config, step, totalSteps);
      const result = await backend.step(rate, sparsityCoef(config, step, totalSteps), () => control.breathe());
      drawn = false;
      step++;
      await run.onStep(step, toMetrics(result, rate, variance, step));
      if (performance.now() - savedAt >= 1000 * config.checkpoint_seconds) await save();
    }
    await save();
  } catch (error) {
    if (error instanceof Cancelled) {
      if (drawn) buffer.undraw();
      await save();
    }
    throw error;
  }
}

function toMetrics(result: StepResult, rate: number, variance: number, step: number): Metrics {
  const { reconstructionLoss, sparsityLoss, auxLoss, gradientNorm } = result;
  const loss = reconstructionLoss + sparsityLoss + auxLoss;
  if (!Number.isFinite(loss + gradientNorm)) {
    const sentence = `Training diverged at step ${step}: the loss is no longer a number.`;
    throw failure('diverged', sentence, 'Choose a lower learning_rate, or leave it to the default.');
  }
  return {
    train_loss: loss,
    reconstruction_loss: reconstructionLoss,
    sparsity_loss: sparsityLoss,
    aux_loss: auxLoss,
    l0: result.l0,
    explained_variance: variance > 0 ? 1 - reconstructionLoss / variance : null,
    dead_features: result.dead,
    learning_rate: rate,
    gradient_norm: gradientNorm,
  };
}
