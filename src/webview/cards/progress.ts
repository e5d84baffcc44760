import { html, nothing, type TemplateResult } from 'lit';
import { compact, countdown, duration, whole } from '../../shared/format.js';
import { isActive, type RunState } from '../../shared/panel.js';
import { phaseNames } from '../../shared/wording.js';
import { trainingMetrics } from '../metrics.js';
import { percentDone } from './summary.js';

/** How far a run is: a bar for the whole, a thin one for the phase, and the same in numbers. */
export function progressPart(run: RunState): TemplateResult {
  const { progress } = run;
  const active = isActive(run);
  const begun = progress.status !== 'queued' && progress.status !== 'starting';
  return html`
    <div class="progress">
      <progress
        class="whole"
        max="100"
        .value=${progress.progress}
        aria-label="Progress of the run"
        aria-valuenow=${progress.progress.toFixed(1)}
        aria-valuetext=${percentDone(progress.progress)}
      ></progress>
      ${
        active
          ? html`<progress
              class="phase"
              max="100"
              .value=${progress.phase_progress}
              aria-label="Progress of the phase"
              aria-valuenow=${progress.phase_progress.toFixed(1)}
              aria-valuetext=${`${phaseNames[progress.phase]}, ${percentDone(progress.phase_progress)}`}
            ></progress>`
          : nothing
      }
    </div>
    <dl class="facts number">
      ${fact('Done', 'progress', percentDone(progress.progress))}
      ${begun ? fact('Elapsed', 'elapsed', duration(progress.elapsed_time), 'Pauses left out.') : nothing}
      ${active && begun ? fact('Remaining', 'remaining', countdown(progress.estimated_remaining), 'Of the whole run.') : nothing}
      ${
        active && begun
          ? fact('Phase', 'phase', `${phaseNames[progress.phase]}, ${percentDone(progress.phase_progress)}`)
          : nothing
      }
      ${
        progress.step > 0
          ? html`
              ${fact('Epoch', 'epoch', `${whole(progress.epoch)} of ${whole(progress.total_epochs)}`)}
              <div>
                <dt>Step</dt>
                <dd>
                  <span data-field="step">${whole(progress.step)}</span> /
                  <span data-field="total_steps">${whole(progress.total_steps)}</span>
                </dd>
              </div>
              ${fact('Tokens', 'tokens', compact(progress.tokens))}
            `
          : nothing
      }
      ${
        progress.tokens_per_second === null
          ? nothing
          : fact(
              trainingMetrics.tokens_per_second.label,
              'tokens_per_second',
              `${compact(progress.tokens_per_second)} tokens/s`,
              trainingMetrics.tokens_per_second.definition,
            )
      }
    </dl>
  `;
}

function fact(label: string, field: string, value: string, about = ''): TemplateResult {
  return html`
    <div title=${about || nothing}>
      <dt>${label}</dt>
      <dd data-field=${field}>${value}</dd>
    </div>
  `;
}
