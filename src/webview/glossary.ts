import { html, type TemplateResult } from 'lit';
import { heldOutMetrics, trainingMetrics } from './metrics.js';

const metrics = new Map(
  [...Object.values(trainingMetrics), ...heldOutMetrics].map((metric) => [metric.label, metric] as const),
);

/** What every number means, for those who cannot hover over it. */
export function metricGlossary(): TemplateResult {
  return html`
    <details class="glossary">
      <summary>What the numbers mean</summary>
      <dl>
        ${[...metrics.values()].map(
          ({ label, unit, definition }) => html`
            <dt>${label}${unit && html` <span class="muted">(${unit})</span>`}</dt>
            <dd>${definition}</dd>
          `,
        )}
      </dl>
    </details>
  `;
}
