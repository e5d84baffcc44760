import { html, nothing, type TemplateResult } from 'lit';
import type { Metrics } from '../../shared/events.js';
import { fixed, percent, printable, sparkline, whole } from '../../shared/format.js';
import type { Evaluation } from '../../shared/messages.js';
import { heldOutMetrics, trainingMetrics, whyMissing, type HeldOutMetric } from '../metrics.js';

/** How good the result is on text that training did not see, beside the last values of training. */
export function evaluationTable(evaluation: Evaluation, metrics: Metrics): TemplateResult {
  return html`
    <table class="evaluation" data-field="evaluation">
      <caption>
        Evaluation
        <span class="muted">on ${whole(evaluation.tokens)} tokens: ${printable(evaluation.text)}</span>
      </caption>
      <thead>
        <tr>
          <th scope="col">Metric</th>
          <th scope="col" class="value">Held out</th>
          <th scope="col" class="value">Training</th>
          <th scope="col" class="unit">Unit</th>
        </tr>
      </thead>
      <tbody>
        ${heldOutMetrics.map((metric) => row(metric, evaluation, metrics))}
      </tbody>
    </table>
    ${density(evaluation)}
  `;
}

function row(metric: HeldOutMetric, evaluation: Evaluation, metrics: Metrics): TemplateResult {
  const { key, label, unit, definition, format, training } = metric;
  const reason = whyMissing(metric, evaluation);
  const part =
    key === 'dead_features' && evaluation.dead_fraction !== null ? ` (${percent(evaluation.dead_fraction)})` : '';
  return html`
    <tr>
      <th scope="row" title=${definition}>
        ${label}${reason === undefined ? nothing : html`<div class="muted">${reason}</div>`}
      </th>
      <td class="value number" data-metric=${key}>${format(metric.value(evaluation))}${part}</td>
      <td class="value number">
        ${training === undefined ? nothing : trainingMetrics[training].format(metrics[training])}
      </td>
      <td class="unit muted">${unit}</td>
    </tr>
  `;
}

/** The spread of firing frequencies, between the first and the last class that is not empty. */
function density({ density: { edges, counts, never } }: Evaluation): TemplateResult | typeof nothing {
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  if (first < 0) return nothing;
  const power = (edge: number | undefined) => html`10<sup>${fixed(edge, 1)}</sup>`;
  return html`
    <p class="density">
      Latents by how often they fire, from ${power(edges[first])} to ${power(edges[last + 1])} of the tokens:
      <span class="curve" aria-hidden="true">${sparkline(counts.slice(first, last + 1), 40)}</span>
      <span class="muted">${whole(never)} fired on none of these tokens.</span>
    </p>
  `;
}
