import { countdown, duration, localTime, percent, unknown, whole } from '../../shared/format.js';
import { trainingMetrics } from '../../shared/metrics.js';
import { isActive, type RunState } from '../../shared/panel.js';
import { badgeOf, saeLine } from '../../shared/wording.js';
import { escapeMarkdown } from '../markdown.js';
import type { Translate } from '../translate.js';
import { markdownTable } from './markdown-table.js';

/** A run's story as Markdown: what it is, how far it has come and how good it is, and why it failed. */
export function runTooltip(run: RunState, t: Translate): string {
  const parts = [
    `**${escapeMarkdown(run.name)}**`,
    markdownTable([['', ''], ...storyRows(run, t), ...metricRows(run)]),
    ...(run.error === null ? [] : [escapeMarkdown(`${run.error.message} ${run.error.hint}`)]),
  ];
  return parts.join('\n\n');
}

function storyRows({ progress, config, createdAt, dir }: RunState, t: Translate): string[][] {
  const { status, step, total_steps: steps, elapsed_time: elapsed, estimated_remaining: left } = progress;
  const source = [config.model, config.activation_data_path, ...(config.text ?? [])];
  return [
    [t('Status'), `${badgeOf(status).text}, ${percent(progress.progress / 100)}`],
    [t('SAE'), saeLine(config)],
    [t('Trained on'), source.filter((part) => part !== undefined).join(', ') || unknown],
    [t('Step'), `${whole(step)} / ${whole(steps)}`],
    [t('Elapsed'), duration(elapsed)],
    ...(isActive({ progress }) ? [[t('Remaining'), countdown(left)]] : []),
    [t('Created'), localTime(createdAt)],
    [t('Folder'), dir],
  ];
}

const told = ['train_loss', 'explained_variance', 'l0', 'dead_features'] as const;

/** Of training; held out where the run is evaluated. */
function metricRows({ progress, evaluation }: RunState): string[][] {
  return told.map((name) => {
    const { label, unit, format } = trainingMetrics[name];
    const heldOut = evaluation === null || name === 'train_loss' ? null : evaluation[name];
    const value = heldOut ?? progress.metrics[name];
    return [label, value === null ? unknown : `${format(value)} ${unit}`];
  });
}
