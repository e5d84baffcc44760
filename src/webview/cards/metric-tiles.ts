import { html, nothing, type TemplateResult } from 'lit';
import type { Metrics } from '../../shared/events.js';
import { percent } from '../../shared/format.js';
import type { RunState } from '../../shared/panel.js';
import { trainingMetrics } from '../metrics.js';

/** The four that tell how a training goes. */
const main = ['train_loss', 'explained_variance', 'l0', 'dead_features'] as const satisfies readonly (keyof Metrics)[];

/** The rest; without the part of the loss that the architecture does not have, which is zero by definition. */
function others({ config }: RunState): (keyof Metrics)[] {
  const penalty = config.architecture === 'standard' ? 'sparsity_loss' : 'aux_loss';
  return ['reconstruction_loss', penalty, 'learning_rate', 'gradient_norm'];
}

/** The newest metrics of training; nothing before the first ones are known. */
export function metricTiles(run: RunState): TemplateResult | typeof nothing {
  const { metrics } = run.progress;
  if (Object.values(metrics).every((value) => value === null)) return nothing;
  return html`
    ${run.evaluation ? html`<p class="muted">At the end of training; the evaluation below is on held-out text.</p>` : nothing}
    <dl class="tiles number">${main.map((name) => tile(name, run))}</dl>
    <dl class="facts number">
      ${others(run).map((name) => {
        const { label, unit, definition, format } = trainingMetrics[name];
        return html`
          <div title=${unit === '' ? definition : `${definition} In ${unit}.`}>
            <dt>${label}</dt>
            <dd data-field=${name}>${format(metrics[name])}</dd>
          </div>
        `;
      })}
    </dl>
  `;
}

function tile(name: (typeof main)[number], { config, progress }: RunState): TemplateResult {
  const { label, unit, definition, format } = trainingMetrics[name];
  const value = progress.metrics[name];
  const latents = config.latent_dim;
  const part =
    name === 'dead_features' && value !== null && latents !== undefined ? ` (${percent(value / latents)})` : '';
  return html`
    <div title=${definition}>
      <dt>${label}</dt>
      <dd><span class="value" data-field=${name}>${format(value)}</span>${part}</dd>
      <dd class="unit muted">${unit}</dd>
    </div>
  `;
}
