import { LitElement, html, nothing, type PropertyValues } from 'lit';
import type { SeriesName } from '../../shared/series.js';
import { trainingMetrics } from '../metrics.js';
import { isCut, suitsLogarithm, type Span } from './axis.js';
import { chartStyles } from './chart-styles.js';
import { summarise } from './join.js';
import type { ChartLine } from './line.js';
import { Plot } from './plot.js';
import { redraws, type Drawable } from './redraw-queue.js';
import { chartTable, describeChart } from './text.js';
import { onThemeChange } from './theme.js';

/** CSS pixels. */
const height = 160;

/** Metrics that may fall by orders of magnitude while a run trains. */
const mayBeLogarithmic: readonly SeriesName[] = ['train_loss', 'l0'];

/**
 * A line chart of one metric over the tokens seen, with a table of the same values behind it. Drawn when the queue has
 * room and only while it is on screen; until then it keeps its old picture.
 */
export class ChartElement extends LitElement implements Drawable {
  static override properties = {
    metric: { type: String },
    lines: { attribute: false },
    group: { type: String },
    logarithmic: { state: true },
    tableShown: { state: true },
  };
  static override styles = chartStyles;

  declare metric: SeriesName;
  declare lines: readonly ChartLine[];
  /** Charts of one group show their crosshairs together. */
  declare group: string;
  /** As a person chose; null as it suits the values. */
  declare private logarithmic: boolean | null;
  declare private tableShown: boolean;

  /** What the values of all lines span; null where there are none. */
  #span: Span | null = null;
  #plot: Plot | null = null;
  /** What the plot was made for; another one needs another plot. */
  #plotKey = '';
  #width = 0;
  #onScreen = false;
  #forgetTheme: (() => void) | null = null;
  readonly #sizes = new ResizeObserver((entries) => {
    this.#width = Math.floor(entries.at(-1)!.contentRect.width);
    this.#redraw(true);
  });
  readonly #sight = new IntersectionObserver(
    (entries) => {
      this.#onScreen = entries.at(-1)!.isIntersecting;
      this.#redraw(true);
    },
    // a little early, so that scrolling meets finished pictures
    { root: document, rootMargin: '200px 0px' },
  );

  constructor() {
    super();
    this.metric = 'train_loss';
    this.lines = [];
    this.group = '';
    this.logarithmic = null;
    this.tableShown = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#sizes.observe(this);
    this.#sight.observe(this);
    this.#forgetTheme = onThemeChange(() => {
      this.#removePlot();
      this.#redraw(true);
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sizes.disconnect();
    this.#sight.disconnect();
    this.#forgetTheme?.();
    redraws.cancel(this);
    this.#removePlot();
    this.#onScreen = false;
  }

  protected override willUpdate(): void {
    const summaries = this.lines.flatMap(({ series }) => summarise(series.values[this.metric]) ?? []);
    const lowest = Math.min(...summaries.map((each) => each.lowest));
    const highest = Math.max(...summaries.map((each) => each.highest));
    this.#span = summaries.length === 0 ? null : { lowest, highest };
  }

  get #isLogarithmic(): boolean {
    if (this.#span === null || !mayBeLogarithmic.includes(this.metric)) return false;
    return this.logarithmic ?? suitsLogarithm(this.#span);
  }

  protected override updated(changed: PropertyValues): void {
    this.#redraw(!changed.has('lines') || this.#plot === null);
  }

  #redraw(soon: boolean): void {
    if (this.#onScreen && this.#width > 0 && !this.tableShown) redraws.request(this, soon);
  }

  /** Called by the queue. */
  draw(): void {
    const host = this.renderRoot.querySelector<HTMLElement>('.plot');
    if (!host || this.#span === null) {
      this.#removePlot();
      return;
    }
    const { metric, lines, group } = this;
    const logarithmic = this.#isLogarithmic;
    const key = JSON.stringify([metric, logarithmic, group, lines.map(({ id, place }) => [id, place])]);
    if (this.#plot !== null && key === this.#plotKey) {
      this.#plot.update(lines, this.#width);
      return;
    }
    this.#removePlot();
    this.#plotKey = key;
    this.#plot = new Plot(host, { metric, lines, logarithmic, group, width: this.#width, height });
  }

  #removePlot(): void {
    this.#plot?.destroy();
    this.#plot = null;
  }

  protected override render() {
    const { label, unit, definition } = trainingMetrics[this.metric];
    const cut = this.#span !== null && !this.#isLogarithmic && isCut(this.#span);
    return html`
      <figure>
        <figcaption title=${unit ? `${definition} In ${unit}.` : definition}>
          <span class="label">${label}</span>
          <span class="unit">${cut ? 'negative values cut off' : unit}</span>
        </figcaption>
        <div class="tools">
          ${
            mayBeLogarithmic.includes(this.metric)
              ? this.#toggle('Log scale', this.#isLogarithmic, (on) => (this.logarithmic = on))
              : nothing
          }
          ${this.#toggle('Table', this.tableShown, (on) => (this.tableShown = on))}
        </div>
        ${this.tableShown ? this.#table() : nothing}
        <div class="plot" role="img" aria-label=${describeChart(this.metric, this.lines)} ?hidden=${this.tableShown}>
          ${this.#span ? nothing : html`<p class="empty">No values</p>`}
        </div>
      </figure>
    `;
  }

  #toggle(text: string, on: boolean, set: (on: boolean) => void) {
    const { label } = trainingMetrics[this.metric];
    return html`<button
      type="button"
      aria-pressed=${on ? 'true' : 'false'}
      aria-label=${`${text}: ${label}`}
      @click=${() => {
        set(!on);
      }}
    >
      ${text}
    </button>`;
  }

  #table() {
    const { head, rows } = chartTable(this.metric, this.lines);
    const { label } = trainingMetrics[this.metric];
    return html`<div class="table" tabindex="0" role="region" aria-label=${`Table of ${label}`}>
      <table>
        <thead>
          <tr>
            ${head.map((text) => html`<th scope="col">${text}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([tokens, ...values]) =>
              html`<tr>
                <th scope="row">${tokens}</th>
                ${values.map((text) => html`<td>${text}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }
}

customElements.define('iw-chart', ChartElement);
