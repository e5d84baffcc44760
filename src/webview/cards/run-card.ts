import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import { html, LitElement, nothing, svg, type PropertyValues, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import { printable } from '../../shared/format.js';
import { isActive, possibleActions, type RunAction, type RunState } from '../../shared/panel.js';
import { badgeOf, saeLine, shortName } from '../../shared/wording.js';
import '../charts/run-charts.js';
import { keepFocus } from '../focus.js';
import type { RunStore } from '../store.js';
import { shared } from '../styles.js';
import { cardEvent } from './card-events.js';
import { detailsTable } from './details-table.js';
import { evaluationTable } from './evaluation-table.js';
import { metricTiles } from './metric-tiles.js';
import { notesPart } from './notes.js';
import { progressPart } from './progress.js';
import { cardStyles } from './run-card-styles.js';
import { summaryOf } from './summary.js';
import { timeTable } from './time-table.js';

const actionLabels: Record<RunAction, string> = {
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel',
  evaluate: 'Evaluate …',
  export: 'Export SAE …',
  openFolder: 'Open Folder',
  showLogs: 'Show Logs',
  delete: 'Delete …',
};

const chevron = svg`<path d="M5.7 13.7 5 13l4.6-5L5 3l.7-.7L11 8z" />`;

/** One run: a line when closed, everything known about it when open. It renders again when its own run changes. */
export class RunCard extends LitElement {
  static override properties = {
    store: { attribute: false },
    runId: { attribute: false },
    expanded: { type: Boolean },
    chosen: { type: Boolean },
  };
  declare store: RunStore;
  declare runId: string;
  declare expanded: boolean;
  /** Ticked for comparing. */
  declare chosen: boolean;

  #unfollow: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unfollow?.();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('store') || changed.has('runId')) this.#follow();
    keepFocus(this, () => {
      this.focus();
    });
  }

  #follow(): void {
    this.#unfollow?.();
    this.#unfollow = this.store.follow(this.runId, () => {
      this.requestUpdate();
    });
  }

  /** Focuses the card as a whole, where a key too many, such as Enter from the wizard before, does nothing. */
  override focus(): void {
    this.renderRoot.querySelector('article')?.focus();
  }

  protected override render(): TemplateResult | typeof nothing {
    const run = this.store.run(this.runId);
    if (run === undefined) return nothing;
    return html`
      <article aria-labelledby="name" tabindex="-1">
        ${this.#head(run)}
        <div id="body" ?hidden=${!this.expanded}>${this.expanded ? this.#body(run) : nothing}</div>
      </article>
    `;
  }

  #head(run: RunState): TemplateResult {
    const name = printable(run.name);
    const badge = badgeOf(run.progress.status);
    return html`
      <div class="head">
        <vscode-checkbox .checked=${this.chosen} @change=${this.#choose}>
          <span class="unseen">Choose ${name} for comparing</span>
        </vscode-checkbox>
        <h2>
          <button aria-expanded=${this.expanded} aria-controls="body" @click=${this.#toggle}>
            <svg viewBox="0 0 16 16" width="16" height="16" fill="currentColor" aria-hidden="true">${chevron}</svg>
            <span id="name">${name}</span>
          </button>
        </h2>
        <span class="badge" data-field="status" data-kind=${badge.kind}>${badge.text}</span>
        <span class="summary muted number">${this.expanded ? nothing : summaryOf(run)}</span>
      </div>
    `;
  }

  #body(run: RunState): TemplateResult {
    const { config, evaluation, profile, progress } = run;
    const files = [config.model ?? [], config.activation_data_path ?? config.text ?? []].flat();
    return html`
      <div class="origin">
        <p data-field="sae">${saeLine(config)}</p>
        <p class="muted" data-field="data" title=${files.join('\n')}>${files.map(shortName).join(' · ')}</p>
      </div>
      ${progressPart(run)} ${notesPart(run)} ${metricTiles(run)}
      <div class="row" role="group" aria-label="Actions">
        ${repeat(
          possibleActions(run),
          (action) => action,
          (action) => this.#button(action),
        )}
      </div>
      ${guard([evaluation, progress.metrics], () => (evaluation ? evaluationTable(evaluation, progress.metrics) : nothing))}
      <iw-run-charts .series=${this.store.series(run.id)} .active=${isActive(run)}></iw-run-charts>
      ${guard([profile], () => (profile ? timeTable(profile) : nothing))}
      ${guard([config, run.completedAt, progress.attempt], () => detailsTable(run))}
    `;
  }

  #button(action: RunAction): TemplateResult {
    return html`<vscode-button
      ?secondary=${action !== 'resume'}
      data-action=${action}
      @click=${() => {
        this.#act(action);
      }}
      >${actionLabels[action]}</vscode-button
    >`;
  }

  #act(action: RunAction): void {
    this.dispatchEvent(cardEvent('act', { action, id: this.runId }));
  }

  readonly #toggle = () => {
    this.dispatchEvent(cardEvent('toggle-card', { id: this.runId, open: !this.expanded }));
  };

  readonly #choose = ({ target }: Event) => {
    this.dispatchEvent(cardEvent('choose', { id: this.runId, on: (target as HTMLInputElement).checked }));
  };

  static override styles = [shared, cardStyles];
}

customElements.define('iw-run-card', RunCard);

declare global {
  interface HTMLElementTagNameMap {
    'iw-run-card': RunCard;
  }
}
