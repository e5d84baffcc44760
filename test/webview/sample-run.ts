import type { JobStatus, Metrics, TrainingProgress } from '../../src/shared/events.js';
import type { Evaluation } from '../../src/shared/messages.js';
import type { RunState } from '../../src/shared/panel.js';
import type { Series } from '../../src/shared/series.js';

/** Runs as the host tells of them: the shape of the demo's, at any moment of its life. */

const metrics: Metrics = {
  train_loss: 12.34,
  reconstruction_loss: 11.87,
  sparsity_loss: 0,
  aux_loss: 0.4712,
  l0: 31.87,
  explained_variance: 0.9071,
  dead_features: 12,
  learning_rate: 4e-4,
  gradient_norm: 1.873,
};

export function sampleProgress(id: string, changes: Partial<TrainingProgress> = {}): TrainingProgress {
  return {
    type: 'training_progress',
    job_id: id,
    seq: 42,
    attempt: 1,
    status: 'training',
    phase: 'training',
    epoch: 3,
    total_epochs: 5,
    progress: 48.6,
    phase_progress: 51.2,
    metrics,
    estimated_remaining: 61.2,
    step: 1200,
    total_steps: 1745,
    tokens: 2_457_600,
    tokens_per_second: 16_356,
    elapsed_time: 75.4,
    timestamp: '2026-11-22T15:11:00.000Z',
    ...changes,
  };
}

export function sampleRun(
  id: string,
  changes: Partial<RunState> = {},
  progress: Partial<TrainingProgress> = {},
): RunState {
  return {
    id,
    dir: `/home/ada/project/.interpretability/runs/${id}`,
    name: `Demo ${id}`,
    owner: 'here',
    progress: sampleProgress(id, progress),
    responding: true,
    createdAt: '2026-11-22T15:09:00.000Z',
    startedAt: '2026-11-22T15:09:01.000Z',
    completedAt: null,
    error: null,
    checkpoint: true,
    config: {
      name: `Demo ${id}`,
      model: 'bundled:demo-gpt2',
      layer_idx: 2,
      text: ['bundled:sample'],
      architecture: 'topk',
      latent_dim: 4096,
      k: 32,
      max_epochs: 5,
      batch_size: 2048,
      learning_rate: 4e-4,
      seed: 0,
    },
    evaluation: null,
    profile: null,
    ...changes,
  };
}

export const sampleEvaluation: Evaluation = {
  tokens: 71_680,
  explained_variance: 0.9533,
  fvu: 0.0467,
  l0: 31.99,
  dead_features: 9,
  dead_fraction: 9 / 4096,
  cosine: 0.9712,
  l2_ratio: 0.9688,
  mse: 0.02134,
  cross_entropy: {
    tokens: 32_768,
    clean: 3.412,
    sae: 3.447,
    zero: 6.911,
    mean: 5.203,
    loss_recovered: 0.99,
    loss_recovered_mean: 0.9805,
  },
  density: { edges: [-4, -3, -2, -1, 0], counts: [40, 900, 2800, 347], never: 9 },
  units: {},
  notes: {},
  text: '21 documents held out of training',
};

/** A run that is over. */
export function endedRun(id: string, status: JobStatus, changes: Partial<RunState> = {}): RunState {
  const completed = status === 'completed';
  const progress = {
    status,
    progress: completed ? 100 : 48.6,
    phase_progress: completed ? 100 : 51.2,
    ...(completed ? { phase: 'saving' as const, epoch: 5, step: 1745, tokens: 3_573_760 } : {}),
    estimated_remaining: completed ? 0 : null,
  };
  const evaluation = completed ? sampleEvaluation : null;
  return sampleRun(id, { owner: 'nobody', completedAt: '2026-11-22T15:12:00.000Z', evaluation, ...changes }, progress);
}

/** The course of a training of so many points. */
export function sampleSeries(points: number): Series {
  const at = Array.from({ length: points }, (_, i) => i + 1);
  return {
    stride: 1,
    step: at.map((i) => 10 * i),
    tokens: at.map((i) => 20_480 * i),
    values: {
      train_loss: at.map((i) => 10 + 300 * Math.exp(-i / 8) + Math.sin(i)),
      l0: at.map(() => 32),
      explained_variance: at.map((i) => 0.92 - Math.exp(-i / 10) + 0.004 * Math.sin(i)),
      dead_features: at.map((i) => (i < 30 ? 0 : Math.round(20 * Math.exp(-(i - 30) / 40)))),
      tokens_per_second: at.map((i) => 16_000 + 400 * Math.sin(i / 3)),
    },
  };
}
