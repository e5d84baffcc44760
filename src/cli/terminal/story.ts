import type { MetricsLine, Run } from '../../workbench/runs.js';
import { evaluationLines } from './evaluation.js';
import {
  compact,
  duration,
  fixed,
  localTime,
  percent,
  printable,
  real,
  sparkline,
  unknown,
  whole,
} from '../../shared/format.js';
import { activityNames, shares, type Profile } from '../../shared/profile.js';
import { dataOf, saeLine } from '../../shared/wording.js';
import { problemLines } from './problem.js';
import { columns, pairs } from './table.js';

/** A run as a person reads it: from its folder alone, whatever state it is in. */

/** `1,745 steps of 2,048 tokens · 5 epochs · 3.57M tokens · 16.4k tok/s`. */
function trainingLine({ job, config, lastMetrics }: Run): string | undefined {
  if (job.step === 0) return undefined;
  const batch = config.batch_size === undefined ? '' : ` of ${whole(config.batch_size)} tokens`;
  const steps = job.step === job.total_steps ? whole(job.step) : `${whole(job.step)} of ${whole(job.total_steps)}`;
  const epochs = job.epoch === job.total_epochs ? `${job.epoch}` : `${job.epoch} of ${job.total_epochs}`;
  const parts = [`${steps} steps${batch}`, `${epochs} ${job.total_epochs === 1 ? 'epoch' : 'epochs'}`];
  const speed = lastMetrics?.tokens_per_second ?? job.tokens_per_second;
  return [...parts, `${compact(job.tokens)} tokens`, ...(speed ? [`${compact(speed)} tok/s`] : [])].join(' · ');
}

/** The course of training: each metric's first and last value with its curve between them. */
export function courseLines(metrics: readonly MetricsLine[], width: number): string[] {
  const series = [
    ['loss', (line: MetricsLine) => line.metrics.train_loss, (value: number) => real(value)],
    ['explained variance', (line: MetricsLine) => line.metrics.explained_variance, (value: number) => fixed(value, 4)],
    ['L0', (line: MetricsLine) => line.metrics.l0, (value: number) => fixed(value, 2)],
    ['dead latents', (line: MetricsLine) => line.metrics.dead_features, whole],
  ] as const;
  const rows = series.flatMap(([name, pick, format]) => {
    const values = metrics.map(pick).filter((value) => value !== null);
    if (values.length < 2) return [];
    return [[name, format(values[0]!), sparkline(values, width), format(values.at(-1)!)]];
  });
  return columns(rows, ['left', 'right', 'left', 'left']);
}

/** The columns beside a curve: its name, its first and its last value. */
const besideCurve = 44;

/**
 * The whole story, in paragraphs separated by empty lines. `resume` is the command that would continue the run, `width`
 * the columns there are.
 */
export function storyLines(run: Run, metrics: readonly MetricsLine[], resume: string, width = 100): string[] {
  const { job, config, evaluation } = run;
  const facts = pairs([
    ['run', job.job_id],
    ['status', statusText(run)],
    ['SAE', saeLine(config)],
    ['model', config.model === undefined ? undefined : printable(config.model)],
    ['data', dataOf(config) ?? unknown],
    ['training', trainingLine(run)],
    ['created', localTime(job.created_at)],
    ['ended', job.completed_at === null ? undefined : localTime(job.completed_at)],
    ['worked', job.elapsed_time > 0 ? duration(job.elapsed_time) : undefined],
    ['folder', run.dir],
    ['weights', job.model_path],
  ]);
  const course = courseLines(metrics, Math.min(60, Math.max(10, width - besideCurve)));
  const paragraphs = [
    facts,
    course.length > 0 ? ['course of training', ...course.map(indent)] : [],
    evaluation
      ? [
          `evaluation (${whole(evaluation.tokens)} tokens: ${printable(evaluation.text)})`,
          ...evaluationLines(evaluation).map(indent),
        ]
      : [],
    run.profile ? ['where the time went', ...profileLines(run.profile).map(indent)] : [],
    job.error && run.status === 'failed' ? problemLines(job.error) : [],
    isResumable(run) ? ['continue with', indent(resume)] : [],
  ];
  return paragraphs.filter((lines) => lines.length > 0).flatMap((lines, i) => (i > 0 ? ['', ...lines] : lines));
}

function profileLines(profile: Profile): string[] {
  const rows = shares(profile).map(({ activity, seconds, part }) => [
    activityNames[activity],
    duration(seconds),
    percent(part),
  ]);
  return columns(rows, ['left', 'right', 'right']);
}

const indent = (line: string) => `  ${line}`;

function statusText({ status, job }: Run): string {
  const attempt = job.attempt > 1 ? `, attempt ${job.attempt}` : '';
  const done = ['completed', 'queued', 'starting'].includes(status) ? '' : ` at ${fixed(job.progress, 1)}%`;
  return `${status}${done}${attempt}`;
}

function isResumable({ status }: Run): boolean {
  return status === 'failed' || status === 'cancelled' || status === 'interrupted';
}
