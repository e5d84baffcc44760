import { emptyMetrics } from '../../src/shared/events.js';
import type { Evaluation } from '../../src/shared/messages.js';
import type { MetricsLine, Run } from '../../src/workbench/runs.js';
import { progressEvent } from './events.js';

/** What evaluating a small SAE gave. */
export const evaluation: Evaluation = {
  tokens: 9731,
  explained_variance: 0.90514,
  fvu: 0.09486,
  l0: 31.87,
  dead_features: 41,
  dead_fraction: 0.01,
  cosine: 0.9531,
  l2_ratio: 0.9412,
  mse: 21.53,
  cross_entropy: {
    tokens: 9731,
    clean: 3.214,
    sae: 3.401,
    zero: 6.5,
    mean: 5.75,
    loss_recovered: 0.9431,
    loss_recovered_mean: 0.9263,
  },
  density: { edges: [-5, -4, -3, -2, -1, 0], counts: [0, 100, 3000, 900, 0], never: 96 },
  units: {},
  notes: {},
  text: 'documents held out of training',
};

/** A completed run. */
export function completedRun(change: Partial<Run> = {}): Run {
  const { metrics } = progressEvent();
  return {
    dir: '/home/me/runs/a',
    status: 'completed',
    job: {
      job_id: '6f0c',
      status: 'completed',
      phase: 'saving',
      epoch: 5,
      total_epochs: 5,
      progress: 100,
      phase_progress: 100,
      metrics,
      estimated_remaining: 0,
      step: 1745,
      total_steps: 1745,
      tokens: 3573760,
      tokens_per_second: null,
      attempt: 1,
      seq: 99,
      created_at: '2026-11-22T15:00:00.000Z',
      started_at: '2026-11-22T15:00:00.000Z',
      completed_at: '2026-11-22T15:02:14.000Z',
      elapsed_time: 134,
      output_dir: '/home/me/runs/a',
      config: {},
      model_path: '/home/me/runs/a/sae_weights.safetensors',
    },
    config: {
      model: 'bundled:demo-gpt2',
      text: ['bundled:sample'],
      hook_name: 'blocks.2.hook_resid_post',
      architecture: 'topk',
      latent_dim: 4096,
      k: 32,
      batch_size: 2048,
    },
    lastMetrics: metricsLine(1740, 0.1234),
    profile: null,
    evaluation,
    checkpoint: null,
    ...change,
  };
}

export function metricsLine(step: number, loss: number): MetricsLine {
  return {
    step,
    epoch: 1,
    tokens: step * 2048,
    tokens_per_second: 26700,
    metrics: { ...emptyMetrics, train_loss: loss, explained_variance: 1 - loss / 100, l0: 32, dead_features: 0 },
    timestamp: '2026-11-22T15:01:00.000Z',
  };
}
