import type { Metrics } from '../../shared/events.js';
import type { Evaluation } from '../../shared/messages.js';
import { fixed, percent, real, sparkline, unknown, whole } from '../../shared/format.js';
import { columns } from './table.js';

/** One row of the result: a name, the value at the end of training where there is one, and the value held out. */
type Row = readonly [name: string, training: string, heldOut: string];

function rows(metrics: Metrics | null, evaluation: Evaluation): Row[] {
  const entropy = evaluation.cross_entropy;
  const dead =
    evaluation.dead_features === null
      ? unknown
      : `${whole(evaluation.dead_features)} (${percent(evaluation.dead_fraction)})`;
  return [
    ['explained variance', fixed(metrics?.explained_variance, 4), fixed(evaluation.explained_variance, 4)],
    ['L0 (active latents per token)', fixed(metrics?.l0, 2), fixed(evaluation.l0, 2)],
    ['loss recovered', unknown, fixed(entropy?.loss_recovered, 4)],
    ['loss recovered against mean ablation', unknown, fixed(entropy?.loss_recovered_mean, 4)],
    ['cross entropy (nats): the model', unknown, fixed(entropy?.clean, 3)],
    ['cross entropy: with the SAE', unknown, fixed(entropy?.sae, 3)],
    ['cross entropy: mean ablation', unknown, fixed(entropy?.mean, 3)],
    ['cross entropy: zero ablation', unknown, fixed(entropy?.zero, 3)],
    ['dead latents', whole(metrics?.dead_features), dead],
    ['cosine', unknown, fixed(evaluation.cosine, 4)],
    ['norm ratio', unknown, fixed(evaluation.l2_ratio, 4)],
    ['mean squared error', unknown, real(evaluation.mse)],
  ];
}

/**
 * The metrics of an SAE as lines: held-out values, beside the last training values where a run's are given, then the
 * spread of firing frequencies, and why a value is missing.
 */
export function evaluationLines(evaluation: Evaluation, metrics: Metrics | null = null): string[] {
  const table =
    metrics === null
      ? columns(
          rows(null, evaluation).map(([name, , value]) => [name, value]),
          ['left', 'right'],
        )
      : columns([['', 'training', 'held out'], ...rows(metrics, evaluation)], ['left', 'right', 'right']);
  return [...table, ...densityLine(evaluation), ...noteLines(evaluation)];
}

function densityLine({ density }: Evaluation): string[] {
  const first = density.counts.findIndex((count) => count > 0);
  const last = density.counts.findLastIndex((count) => count > 0);
  if (first < 0) return [];
  const curve = sparkline(density.counts.slice(first, last + 1), 40);
  const from = fixed(density.edges[first], 1);
  const to = fixed(density.edges[last + 1], 1);
  return [`firing frequency (log10): ${from} ${curve} ${to}, never here: ${whole(density.never)}`];
}

function noteLines({ notes }: Evaluation): string[] {
  return Object.entries(notes).map(([name, reason]) => `${name}: ${reason}`);
}
