import '@vscode-elements/elements/dist/vscode-button/index.js';
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { PanelView, ToPanel } from '../shared/panel.js';
import type { Series } from '../shared/series.js';
import { announcement } from './announcements.js';
import { appStyles } from './app-styles.js';
import type { ActEvent, ChooseEvent, ToggleEvent } from './cards/card-events.js';
import { RunCard } from './cards/run-card.js';
import './compare/compare.js';
import type { Connection } from './connection.js';
import { keepFocus, keepSpaceFromScrolling } from './focus.js';
import { metricGlossary } from './glossary.js';
import { RunStore, type Change } from './store.js';
import { shared } from './styles.js';
import {
  among,
  firstView,
  isExpanded,
  recalled,
  watched,
  withExpanded,
  withSelected,
  type ViewState,
} from './view-state.js';

/** The whole panel: the runs as cards, or some of them side by side. */
export class App extends LitElement {
  static override properties = { state: { state: true }, said: { state: true } };
  declare private state: ViewState;
  declare private said: string;

  readonly #store = new RunStore();
  #connection: Connection | undefined;
  #watched = '';
  /** A run to go to as soon as there is a card of it. */
  #focus: string | undefined;

  constructor() {
    super();
    this.state = firstView;
    this.said = '';
    this.#store.subscribe((change) => {
      this.#changed(change);
    });
    this.addEventListener('keydown', keepSpaceFromScrolling);
  }

  /** Begins to listen: asks the host for everything there is to show. */
  start(connection: Connection): void {
    this.#connection = connection;
    this.state = recalled(connection.recall());
    connection.post({ type: 'ready' });
  }

  receive(message: ToPanel): void {
    if (message.type === 'show') this.#show(message.view);
    else this.#store.apply(message);
  }

  #show(view: PanelView): void {
    if (view.name === 'compare') {
      this.#change({ ...this.state, view: 'compare', selected: view.ids });
      return;
    }
    this.#focus = view.focus;
    const opened = view.focus === undefined ? this.state : withExpanded(this.state, view.focus, true);
    this.#change({ ...opened, view: 'runs' });
  }

  #changed({ snapshot, list, runs, series }: Change): void {
    if (!snapshot) this.said = runs.map(announcement).filter(Boolean).join('. ') || this.said;
    if (list) this.#change(among(this.state, this.#runs()));
    const compared = [...runs.map(({ now }) => now.id), ...series].some((id) => this.state.selected.includes(id));
    if (list || (this.state.view === 'compare' && compared)) this.requestUpdate();
  }

  #change(state: ViewState): void {
    this.state = state;
    this.#connection?.remember(state);
    const ids = watched(state, this.#runs());
    if (!this.#store.ready || ids.join('\n') === this.#watched) return;
    this.#watched = ids.join('\n');
    this.#connection?.post({ type: 'watch', ids });
  }

  #runs() {
    return this.#store.ids.map((id) => this.#store.run(id)!);
  }

  protected override willUpdate(): void {
    keepFocus(this);
  }

  protected override updated(changed: Map<PropertyKey, unknown>): void {
    const before = changed.get('state') as ViewState | undefined;
    if (before !== undefined && before.view !== this.state.view) scrollTo(0, 0);
    const card =
      this.#focus === undefined ? null : this.renderRoot.querySelector<RunCard>(`#${CSS.escape(`run-${this.#focus}`)}`);
    if (card === null) return;
    this.#focus = undefined;
    void card.updateComplete.then(() => {
      card.focus();
      card.scrollIntoView({ block: 'start' });
    });
  }

  protected override render(): TemplateResult {
    return html`
      <main>${this.#content()}</main>
      <div class="unseen" role="status">${this.said}</div>
    `;
  }

  #content(): TemplateResult {
    if (!this.#store.ready) return html`<p class="muted">Looking for runs …</p>`;
    if (this.state.view === 'compare') return this.#comparison();
    return html`
      ${this.#store.trusted ? nothing : this.#untrusted()}
      ${this.#store.ids.length === 0 ? this.#empty() : this.#cards()}
    `;
  }

  #comparison(): TemplateResult {
    const runs = this.#runs().filter(({ id }) => this.state.selected.includes(id));
    const series = new Map<string, Series>();
    for (const { id } of runs) {
      const known = this.#store.series(id);
      if (known) series.set(id, known);
    }
    return html`<iw-compare .runs=${runs} .series=${series} @back=${this.#back}></iw-compare>`;
  }

  #cards(): TemplateResult {
    const { selected } = this.state;
    return html`
      <header class="row">
        <h1>Runs</h1>
        <vscode-button @click=${this.#train}>Train SAE</vscode-button>
        <vscode-button
          secondary
          ?disabled=${selected.length < 2}
          aria-disabled=${selected.length < 2}
          title="Tick two runs or more to see them side by side"
          @click=${this.#compare}
          >${selected.length < 2 ? 'Compare' : `Compare ${selected.length} runs`}</vscode-button
        >
      </header>
      <div @act=${this.#act} @toggle-card=${this.#toggle} @choose=${this.#choose}>
        ${repeat(
          this.#store.ids,
          (id) => id,
          (id) => html`
            <iw-run-card
              id="run-${id}"
              .store=${this.#store}
              .runId=${id}
              .expanded=${isExpanded(this.state, this.#store.run(id)!)}
              .chosen=${selected.includes(id)}
            ></iw-run-card>
          `,
        )}
      </div>
      ${metricGlossary()}
    `;
  }

  #empty(): TemplateResult {
    return html`
      <section class="empty">
        <h1>Train a sparse autoencoder</h1>
        <p>
          It learns to write the activations of a transformer as sums of a few directions out of thousands. Each run is
          shown here with its progress, its charts and how good its result is on held-out text.
        </p>
        <p>A small model and a text come with the extension: press Enter all the way through to try them.</p>
        <div class="row">
          <vscode-button @click=${this.#train}>Train SAE</vscode-button>
          <button class="link" @click=${this.#walkthrough}>Open the walkthrough</button>
        </div>
      </section>
    `;
  }

  #untrusted(): TemplateResult {
    return html`
      <section class="note warning row" aria-label="Workspace trust">
        <p>This workspace is not trusted, so only the bundled demo model and text can be trained on.</p>
        <vscode-button secondary @click=${this.#trust}>Manage Trust</vscode-button>
      </section>
    `;
  }

  readonly #train = () => this.#connection?.post({ type: 'train' });
  readonly #walkthrough = () => this.#connection?.post({ type: 'walkthrough' });
  readonly #trust = () => this.#connection?.post({ type: 'trust' });
  readonly #act = ({ detail }: ActEvent) => this.#connection?.post({ type: 'act', ...detail });
  readonly #toggle = ({ detail: { id, open } }: ToggleEvent) => {
    this.#change(withExpanded(this.state, id, open));
  };
  readonly #choose = ({ detail: { id, on } }: ChooseEvent) => {
    this.#change(withSelected(this.state, id, on));
  };
  readonly #compare = () => {
    if (this.state.selected.length > 1) this.#change({ ...this.state, view: 'compare' });
  };
  readonly #back = () => {
    this.#change({ ...this.state, view: 'runs' });
  };

  static override styles = [shared, appStyles];
}

customElements.define('iw-app', App);

declare global {
  interface HTMLElementTagNameMap {
    'iw-app': App;
  }
}
