import * as v from 'valibot';
import { configSchema, type SaeConfig } from './config.js';
import { jobEventSchema, jobStatuses, metricsSchema, phases } from './events.js';

/** What the local API and its clients say to each other: the requests and replies of HTTP, and the messages of `/ws`. */

/** Most bytes of a request's body and of a message to `/ws`. */
export const mostBytes = 64 * 1024;

/** Most files and folders that a request may name as text. */
export const mostTexts = 1000;

/** The configuration's keys that a training request may also give by themselves. */
const shortKeys = [
  'layer_idx',
  'hook_name',
  'activation_data_path',
  'model',
  'text',
  'latent_dim',
  'architecture',
  'k',
  'sparsity_coef',
  'tied_init',
  'max_epochs',
  'max_samples',
  'batch_size',
  'learning_rate',
  'output_dir',
] as const satisfies readonly (keyof SaeConfig)[];

const text = configSchema.entries.text.wrapped;
const texts = v.pipe(text, v.maxLength(mostTexts));
/** As in a `*.sae.json`, a single text need not be in a list. */
const oneOrMany = v.optional(v.pipe(v.union([texts, text.pipe[0].item]), v.description(v.getDescription(text) ?? '')));
const requestConfigSchema = v.strictObject({ ...configSchema.entries, text: oneOrMany });

/** The body of `POST /sae/train`. What is given by itself overrides what `config` says. */
export const trainRequestSchema = v.strictObject({
  ...v.pick(configSchema, shortKeys).entries,
  text: oneOrMany,
  config: v.optional(v.pipe(requestConfigSchema, v.description('A whole configuration, as a *.sae.json holds it.'))),
});
export type TrainRequest = v.InferOutput<typeof trainRequestSchema>;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const moment = v.pipe(v.string(), v.isoTimestamp());
const orNull = v.nullable(v.pipe(v.number(), v.finite()));
const percent = v.pipe(v.number(), v.minValue(0), v.maxValue(100));
const about = <S extends v.GenericSchema>(schema: S, sentence: string) => v.pipe(schema, v.description(sentence));

/** What is wrong with a request, or with a job. */
export const errorSchema = v.object({
  code: about(v.string(), 'What the problem is called: for programs.'),
  message: about(v.string(), 'What is wrong, in a sentence.'),
  hint: about(v.string(), 'What to do about it.'),
  field: v.optional(about(v.string(), 'The key it is about, where there is one.')),
});

/** The body of every reply that is not a success. */
export const errorReplySchema = v.object({ error: errorSchema });
export type ErrorReply = v.InferOutput<typeof errorReplySchema>;

export const healthSchema = v.object({
  status: v.literal('healthy'),
  version: v.string(),
  uptime: about(seconds, 'Seconds since the server was started.'),
  jobs: v.object({ running: count, queued: count }),
});
export type Health = v.InferOutput<typeof healthSchema>;

export const trainReplySchema = v.object({
  success: v.literal(true),
  job_id: v.string(),
  message: v.string(),
  output_dir: about(v.string(), 'The run folder.'),
});
export type TrainReply = v.InferOutput<typeof trainReplySchema>;

/** A job as the API shows it, whether this process trains it, another one does, or only its folder is left. */
export const jobViewSchema = v.object({
  job_id: v.string(),
  name: v.string(),
  status: v.picklist(jobStatuses),
  phase: v.picklist(phases),
  layer_idx: about(v.nullable(count), 'Null where the hook point is not of a layer, or none was named.'),
  output_dir: about(v.string(), 'The run folder.'),
  config: about(configSchema, 'The configuration; complete once the defaults are filled in.'),
  progress: v.object({
    current_epoch: count,
    total_epochs: about(count, '0 while unknown.'),
    percent: about(percent, 'Of all epochs; 100 only when every file is on disk.'),
  }),
  phase_progress: about(percent, 'Percent of the current phase.'),
  metrics: metricsSchema,
  created_at: moment,
  started_at: about(v.nullable(moment), 'When the first attempt left the queue.'),
  completed_at: about(v.nullable(moment), 'When the job completed, failed or was cancelled.'),
  elapsed_time: about(seconds, 'Seconds of work, neither queued nor paused.'),
  estimated_remaining: about(orNull, 'Seconds of the whole job; null while unknown.'),
  attempt: about(v.pipe(v.number(), v.integer(), v.minValue(1)), 'One more for each resume.'),
  seq: about(count, 'Number of the last event that this takes into account.'),
  step: count,
  total_steps: count,
  tokens: count,
  tokens_per_second: orNull,
  checkpoint: about(v.nullable(v.string()), 'The folder of the newest checkpoint: where a resume would start.'),
  error: v.optional(errorSchema),
  model_path: v.optional(about(v.string(), 'The trained weights, once there.')),
});
export type JobView = v.InferOutput<typeof jobViewSchema>;

export const jobListSchema = v.object({
  jobs: about(v.array(jobViewSchema), 'Newest first.'),
  total: count,
});
export type JobList = v.InferOutput<typeof jobListSchema>;

export const cancelReplySchema = v.object({
  success: about(v.boolean(), 'Whether the job ended by being cancelled, rather than otherwise meanwhile.'),
  status: about(v.picklist(jobStatuses), 'What the job ended as.'),
  checkpoint: about(v.nullable(v.string()), 'Where a resume would start.'),
});
export type CancelReply = v.InferOutput<typeof cancelReplySchema>;

/** What a client may say on `/ws`. */
export const clientMessageSchema = v.variant('type', [v.object({ type: v.literal('ping') })]);
export type ClientMessage = v.InferOutput<typeof clientMessageSchema>;

export const pongSchema = v.object({ type: v.literal('pong') });

/** The answer to a message that cannot be understood. */
export const socketErrorSchema = v.object({
  type: v.literal('error'),
  error: about(v.string(), 'What is wrong, in a sentence.'),
  code: v.string(),
});

/** What a client hears on `/ws`. */
export const serverMessageSchema = v.variant('type', [...jobEventSchema.options, pongSchema, socketErrorSchema]);
export type ServerMessage = v.InferOutput<typeof serverMessageSchema>;
