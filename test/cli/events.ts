import type { TrainingProgress } from '../../src/shared/events.js';

/** A progress event from the middle of a training run. */
export function progressEvent(change: Partial<TrainingProgress> = {}): TrainingProgress {
  return {
    type: 'training_progress',
    job_id: '6f0c',
    seq: 42,
    attempt: 1,
    status: 'training',
    phase: 'training',
    epoch: 2,
    total_epochs: 5,
    progress: 45.2,
    phase_progress: 45.2,
    metrics: {
      train_loss: 0.1234,
      reconstruction_loss: 0.0987,
      sparsity_loss: 0.0247,
      aux_loss: 0,
      l0: 31.9,
      explained_variance: 0.912,
      dead_features: 12,
      learning_rate: 0.0002,
      gradient_norm: 1.5,
    },
    elapsed_time: 31.2,
    estimated_remaining: 42,
    step: 540,
    total_steps: 1200,
    tokens: 1105920,
    tokens_per_second: 16356,
    timestamp: '2026-11-22T15:11:00.000Z',
    ...change,
  };
}
