import { duration, unknown, whole } from '../../shared/format.js';
import type { RunState } from '../../shared/panel.js';
import { badgeOf } from '../../shared/wording.js';
import { heldOutMetrics, trainingMetrics, whyMissing, type HeldOutMetric } from '../metrics.js';
import type { Column, Value } from './column.js';
import { comparable, compareConfigurations, type Configuration } from './configuration.js';

/** Columns under one heading. */
export interface ColumnGroup {
  label: string;
  columns: Column[];
}

/** The held-out metrics that runs are compared by. */
const compared = ['explained_variance', 'l0', 'loss_recovered', 'dead_features', 'sae', 'mse', 'cosine'];

/** What compares runs: their results side by side, where their configurations differ, and in what they agree. */
export interface Comparison {
  groups: ColumnGroup[];
  same: Configuration['same'];
  /** Whether the best values are marked. */
  ranked: boolean;
}

export function compareRuns(runs: readonly RunState[]): Comparison {
  const configuration = compareConfigurations(runs);
  const ranked = runs.length > 1 && comparable(configuration);
  const differ = new Set(configuration.columns.map(({ key }) => key));
  const sameLoss = ranked && !differ.has('architecture') && !differ.has('sparsity_coef') && !differ.has('aux_coef');
  const heldOut = compared.map((key) =>
    heldOutColumn(
      heldOutMetrics.find((metric) => metric.key === key)!,
      ranked,
    ),
  );
  const groups = [
    { label: 'On held-out text', columns: heldOut },
    { label: 'Training', columns: trainingColumns(sameLoss) },
    { label: 'Where the configurations differ', columns: configuration.columns },
  ];
  return { groups: groups.filter(({ columns }) => columns.length > 0), same: configuration.same, ranked };
}

const number =
  (format: (value: number) => string) =>
  (value: Value): string =>
    typeof value === 'number' ? format(value) : unknown;

function heldOutColumn(metric: HeldOutMetric, ranked: boolean): Column {
  return {
    key: `held_out_${metric.key}`,
    label: metric.label,
    definition: metric.definition + (metric.unit && ` In ${metric.unit}.`),
    value: ({ evaluation }) => (evaluation ? metric.value(evaluation) : null),
    text: number(metric.format),
    why: ({ evaluation }) => (evaluation ? whyMissing(metric, evaluation) : 'Not evaluated yet.'),
    better: ranked ? metric.better : null,
  };
}

function trainingColumns(sameLoss: boolean): Column[] {
  const { label, definition, format } = trainingMetrics.train_loss;
  return [
    {
      key: 'status',
      label: 'Status',
      definition: '',
      value: ({ progress }) => badgeOf(progress.status).text,
      text: String,
      better: null,
    },
    {
      key: 'train_loss',
      label,
      definition: `The last value. ${definition}`,
      value: ({ progress }) => progress.metrics.train_loss,
      text: number(format),
      better: sameLoss ? 'lower' : null,
    },
    {
      key: 'tokens',
      label: 'Tokens',
      definition: 'Tokens trained on.',
      value: ({ progress }) => progress.tokens,
      text: number(whole),
      better: null,
    },
    {
      key: 'time',
      label: 'Time',
      definition: 'Time in which the run was worked at, pauses not counted.',
      value: ({ progress }) => progress.elapsed_time,
      text: number(duration),
      better: null,
    },
  ];
}
