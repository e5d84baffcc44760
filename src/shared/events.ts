import * as v from 'valibot';

/** The wire events of a job. Keys are snake_case, times are seconds, every number is finite and what is unknown is null. */

export const jobStatuses = [
  'queued',
  'starting',
  'preparing',
  'training',
  'paused',
  'completed',
  'failed',
  'cancelled',
  'interrupted',
] as const;
export type JobStatus = (typeof jobStatuses)[number];

export const phases = [
  'loading_model',
  'tokenizing',
  'extracting',
  'training',
  'evaluating',
  'features',
  'saving',
] as const;
export type Phase = (typeof phases)[number];

const finite = v.pipe(v.number(), v.finite());
const orNull = v.nullable(finite);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** The latest values of training; `train_loss = reconstruction_loss + sparsity_loss + aux_loss` (all already weighted). */
export const metricsSchema = v.object({
  train_loss: orNull,
  reconstruction_loss: orNull,
  sparsity_loss: orNull,
  aux_loss: orNull,
  /** Mean number of active latents per token. */
  l0: orNull,
  /** 1 − reconstruction_loss / V, with V = E‖x − x̄‖² fixed at the start of training. */
  explained_variance: orNull,
  /** Latents that fired on none of the last `dead_after_tokens` tokens. */
  dead_features: v.nullable(count),
  learning_rate: orNull,
  /** Norm of all gradients together, before clipping. */
  gradient_norm: orNull,
});
export type Metrics = v.InferOutput<typeof metricsSchema>;

export const emptyMetrics: Metrics = {
  train_loss: null,
  reconstruction_loss: null,
  sparsity_loss: null,
  aux_loss: null,
  l0: null,
  explained_variance: null,
  dead_features: null,
  learning_rate: null,
  gradient_norm: null,
};

/** What the engine knows about its progress; the workbench completes it to a `training_progress` event. */
export const engineProgressSchema = v.object({
  status: v.picklist(jobStatuses),
  phase: v.picklist(phases),
  epoch: count,
  total_epochs: count,
  progress: v.pipe(finite, v.minValue(0), v.maxValue(100)),
  phase_progress: v.pipe(finite, v.minValue(0), v.maxValue(100)),
  metrics: metricsSchema,
  estimated_remaining: orNull,
  step: count,
  total_steps: count,
  tokens: count,
  tokens_per_second: orNull,
});
export type EngineProgress = v.InferOutput<typeof engineProgressSchema>;

export const trainingProgressSchema = v.object({
  type: v.literal('training_progress'),
  job_id: v.string(),
  seq: count,
  attempt: v.pipe(v.number(), v.integer(), v.minValue(1)),
  ...engineProgressSchema.entries,
  elapsed_time: v.pipe(finite, v.minValue(0)),
  timestamp: v.pipe(v.string(), v.isoTimestamp()),
  /** The failure in one sentence, on the last message of a failed job. */
  error: v.optional(v.string()),
});
export type TrainingProgress = v.InferOutput<typeof trainingProgressSchema>;

const terminal = { job_id: v.string(), seq: count, attempt: count, timestamp: v.pipe(v.string(), v.isoTimestamp()) };

export const trainingCompletedSchema = v.object({
  type: v.literal('training_completed'),
  ...terminal,
  status: v.literal('completed'),
  output_dir: v.string(),
  model_path: v.string(),
  metrics: metricsSchema,
});

export const trainingFailedSchema = v.object({
  type: v.literal('training_failed'),
  ...terminal,
  status: v.literal('failed'),
  error: v.string(),
  code: v.string(),
  hint: v.string(),
  phase: v.picklist(phases),
});

export const trainingCancelledSchema = v.object({
  type: v.literal('training_cancelled'),
  ...terminal,
  status: v.literal('cancelled'),
  output_dir: v.string(),
  checkpoint: v.nullable(v.string()),
});

export const jobEventSchema = v.variant('type', [
  trainingProgressSchema,
  trainingCompletedSchema,
  trainingFailedSchema,
  trainingCancelledSchema,
]);
export type JobEvent = v.InferOutput<typeof jobEventSchema>;

const terminalStatuses: readonly JobStatus[] = ['completed', 'failed', 'cancelled'];

export function isTerminal(status: JobStatus): boolean {
  return terminalStatuses.includes(status);
}
