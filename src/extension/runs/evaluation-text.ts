import { fixed, sparkline, unknown, whole } from '../../shared/format.js';
import type { Evaluation } from '../../shared/messages.js';
import { heldOutMetrics, whyMissing } from '../../shared/metrics.js';
import type { RunState } from '../../shared/panel.js';
import { saeLine } from '../../shared/wording.js';
import { escapeMarkdown } from '../markdown.js';
import type { Translate } from '../translate.js';
import { markdownTable } from './markdown-table.js';

/** Columns of the histogram as text. */
const histogramColumns = 60;

/** The result of an evaluation as a Markdown document: on what, every number with its unit and meaning, and why one is missing. */
export function evaluationText(
  { name, config, dir }: Pick<RunState, 'name' | 'config' | 'dir'>,
  evaluation: Evaluation,
  t: Translate,
): string {
  const rows = heldOutMetrics.map((metric) => {
    const value = metric.value(evaluation);
    const why = whyMissing(metric, evaluation);
    const meaning = why === undefined ? metric.definition : `${metric.definition} ${t('Not known: {0}', why)}`;
    return value === null
      ? [metric.label, unknown, '', meaning]
      : [metric.label, metric.format(value), metric.unit, meaning];
  });
  const parts = [
    `# ${t('Evaluation of {0}', escapeMarkdown(name))}`,
    t('Measured on {0} tokens: {1}.', whole(evaluation.tokens), escapeMarkdown(evaluation.text)),
    markdownTable([[t('Metric'), t('Value'), t('Unit'), t('Meaning')], ...rows]),
    ...firingFrequencies(evaluation, t),
    `${escapeMarkdown(saeLine(config))}  \n${t('Run folder: {0}', escapeMarkdown(dir))}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

/** How often latents fire, from the rarest to the most frequent. */
function firingFrequencies({ density: { counts, edges, never } }: Evaluation, t: Translate): string[] {
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  if (first < 0) return [];
  const curve = sparkline(counts.slice(first, last + 1), histogramColumns);
  return [
    `## ${t('How often latents fire')}`,
    t('Latents by the part of tokens they fire on:'),
    `    10^${fixed(edges[first], 1)} ${curve} 10^${fixed(edges[last + 1], 1)}`,
    t('Latents that fired on none of these tokens: {0}.', whole(never)),
  ];
}
