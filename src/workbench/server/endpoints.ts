import type { ProblemCode } from '../../shared/errors.js';
import { cancelJob, health, listJobs, pauseJob, resumeJob, showJob, train, type Handler } from './handlers.js';
import { readPage } from './page.js';
import type { SchemaName } from './schemas.js';

/** One call of the API. */
export interface Endpoint {
  method: 'GET' | 'POST' | 'DELETE';
  /** As in OpenAPI: `{job_id}` stands for a job's id. */
  path: string;
  /** What a program calls it. */
  id: string;
  summary: string;
  description?: string;
  /** True for what is answered without a token. */
  open?: true;
  /** The schema of the body, with examples of it. */
  body?: { schema: SchemaName; examples: Record<string, { summary: string; value: unknown }> };
  /** The reply to a request that succeeds: JSON of a schema, or text of another type. */
  reply: { status: 200 | 202; description: string } & ({ schema: SchemaName } | { contentType: string });
  /** The problems that are its own; those of every request are not listed. */
  problems: readonly ProblemCode[];
  /** Its result is the reply's body: a value that becomes JSON, or a `Text` where the reply is no JSON. */
  handle: Handler;
}

const ofJob = ['job_not_found', 'wrong_state', 'run_in_use'] as const satisfies readonly ProblemCode[];
const ofStart = ['queue_full', 'disk_full'] as const satisfies readonly ProblemCode[];

export const endpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/',
    id: 'page',
    summary: 'Shows a page that starts and watches jobs.',
    description: 'It takes the token from its own address: open it as /?token=….',
    reply: { status: 200, description: 'A page for a browser.', contentType: 'text/html; charset=utf-8' },
    problems: [],
    handle: readPage,
  },
  {
    method: 'GET',
    path: '/health',
    id: 'health',
    summary: 'Tells that the server is there.',
    open: true,
    reply: { status: 200, description: 'How many jobs of this process run and wait.', schema: 'Health' },
    problems: [],
    handle: health,
  },
  {
    method: 'POST',
    path: '/sae/train',
    id: 'train',
    summary: 'Starts a training, or queues it.',
    description:
      'Needs layer_idx or hook_name, unless it trains on recorded activations. What is given by itself overrides what config ' +
      'says. Without model and text those of the workspace are used, else the bundled ones. Paths are relative to the root.',
    body: {
      schema: 'TrainRequest',
      examples: {
        layer: { summary: 'A layer of the bundled model', value: { layer_idx: 2, latent_dim: 1024, max_epochs: 5 } },
        activations: {
          summary: 'Recorded activations',
          value: { layer_idx: 6, activation_data_path: 'activations.parquet', latent_dim: 4096, max_epochs: 100 },
        },
        config: {
          summary: 'A whole configuration, with one value replaced',
          value: {
            max_epochs: 3,
            config: { model: 'bundled:demo-gpt2', text: ['bundled:sample'], layer_idx: 2, seed: 1 },
          },
        },
      },
    },
    reply: { status: 202, description: 'The job, which runs or waits.', schema: 'TrainReply' },
    problems: [
      ...([
        'not_json',
        'too_large',
        'config_invalid',
        'path_not_allowed',
        'model_not_found',
        'text_unreadable',
      ] as const),
      ...(['activations_unreadable', 'output_unusable', 'run_in_use', 'wrong_state'] as const),
      ...ofStart,
    ],
    handle: train,
  },
  {
    method: 'GET',
    path: '/sae/training/jobs',
    id: 'listJobs',
    summary: 'Lists all jobs, newest first.',
    description: 'Those of this process, those that others train, and those whose run folder is left.',
    reply: { status: 200, description: 'The jobs.', schema: 'JobList' },
    problems: [],
    handle: listJobs,
  },
  {
    method: 'GET',
    path: '/sae/training/status/{job_id}',
    id: 'showJob',
    summary: 'Shows a job.',
    reply: { status: 200, description: 'The job.', schema: 'Job' },
    problems: ['job_not_found'],
    handle: showJob,
  },
  {
    method: 'DELETE',
    path: '/sae/training/{job_id}',
    id: 'cancelJob',
    summary: 'Cancels a job, and answers when it has really stopped.',
    description: 'What was trained is kept, and can be resumed.',
    reply: { status: 200, description: 'What the job ended as.', schema: 'CancelReply' },
    problems: ofJob,
    handle: cancelJob,
  },
  {
    method: 'POST',
    path: '/sae/training/{job_id}/pause',
    id: 'pauseJob',
    summary: 'Pauses a job, and answers when it stands still.',
    reply: { status: 200, description: 'The job.', schema: 'Job' },
    problems: ofJob,
    handle: pauseJob,
  },
  {
    method: 'POST',
    path: '/sae/training/{job_id}/resume',
    id: 'resumeJob',
    summary: 'Goes on with a job that is paused, failed, cancelled or interrupted.',
    description: 'One that has ended goes on from its checkpoint, under the same job_id, as its next attempt.',
    reply: { status: 200, description: 'The job.', schema: 'Job' },
    problems: [...ofJob, 'run_unreadable', ...ofStart],
    handle: resumeJob,
  },
];
