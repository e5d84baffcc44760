import { html, nothing, type TemplateResult } from 'lit';
import { isActive, possibleActions, type RunState } from '../../shared/panel.js';

/** What a person should know of a run besides its numbers: why it failed, that it is silent, who has it, how it goes on. */
export function notesPart(run: RunState): TemplateResult {
  return html`
    ${failure(run)}
    ${
      isActive(run) && !run.responding
        ? html`<p class="note warning" data-field="silent">
            Nothing has been heard of its engine for a while. It may be busy; if it stays silent, cancel the run: what
            was saved last is kept.
          </p>`
        : nothing
    }
    ${
      isActive(run) && run.owner === 'elsewhere'
        ? html`<p class="note" data-field="elsewhere">
            Another process trains this run: a second window, or the command line. Pause or cancel it there.
          </p>`
        : nothing
    }
    ${continuation(run)}
  `;
}

function failure({ progress, error }: RunState): TemplateResult | typeof nothing {
  if (progress.status !== 'failed') return nothing;
  const message = error?.message ?? progress.error;
  return html`
    <div class="note error" data-field="error">
      <p class="message">${message ?? 'The run failed.'}</p>
      ${error ? html`<p>${error.hint}</p>` : nothing}
    </div>
  `;
}

/** Where a resume would start. */
function continuation(run: RunState): TemplateResult | typeof nothing {
  if (isActive(run) || !possibleActions(run).includes('resume')) return nothing;
  const why =
    run.progress.status === 'interrupted' ? 'The process that trained this run ended before the run did. ' : '';
  const how = run.checkpoint
    ? 'Resume goes on from its last checkpoint.'
    : 'There is no checkpoint yet, so Resume starts from the beginning.';
  return html`<p class="muted" data-field="continuation">${why}${how}</p>`;
}
