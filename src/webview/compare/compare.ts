import '@vscode-elements/elements/dist/vscode-button/index.js';
import { LitElement, html, svg } from 'lit';
import type { RunState } from '../../shared/panel.js';
import { seriesNames, type Series } from '../../shared/series.js';
import '../charts/chart.js';
import { lineStyle, type ChartLine } from '../charts/line.js';
import { shared } from '../styles.js';
import { compareStyles } from './compare-styles.js';
import './compare-table.js';

/** Runs side by side: their charts over one another and a table of their results. Says `back` when a person is done. */
export class Compare extends LitElement {
  static override properties = {
    runs: { attribute: false },
    series: { attribute: false },
    hiddenIds: { state: true },
  };
  static override styles = [shared, compareStyles];

  declare runs: readonly RunState[];
  /** What is known of the runs' series; a new map when anything in it is new. */
  declare series: ReadonlyMap<string, Series>;
  declare private hiddenIds: ReadonlySet<string>;

  /** Kept as they are while nothing in them changes, so that a run's progress alone redraws no chart. */
  #lines: readonly ChartLine[] = [];

  constructor() {
    super();
    this.runs = [];
    this.series = new Map();
    this.hiddenIds = new Set();
  }

  protected override willUpdate(): void {
    const lines = this.#oldestFirst().flatMap(({ id, name }, place): ChartLine[] => {
      const series = this.series.get(id);
      return !series || this.hiddenIds.has(id) ? [] : [{ id, name, place, series }];
    });
    if (!sameLines(lines, this.#lines)) this.#lines = lines;
  }

  /** An order that a run keeps for good, so that its colour and letter stay. */
  #oldestFirst(): RunState[] {
    return [...this.runs].sort((a, b) => (a.createdAt < b.createdAt ? -1 : Number(a.createdAt > b.createdAt)));
  }

  protected override render() {
    const runs = this.#oldestFirst();
    return html`
      <header class="row">
        <h1>Compare ${runs.length} runs</h1>
        <vscode-button secondary @click=${this.#back}>Back to Runs</vscode-button>
      </header>
      <h2>Results</h2>
      <iw-compare-table .runs=${runs}></iw-compare-table>
      <h2 id="training">Training</h2>
      <div class="row legend" role="group" aria-label="Runs shown in the charts">
        ${runs.map((run, place) => this.#legend(run, place))}
      </div>
      <div class="charts">
        ${seriesNames.map(
          (name) => html`<iw-chart .metric=${name} .lines=${this.#lines} .group=${'compare'}></iw-chart>`,
        )}
      </div>
    `;
  }

  #legend({ id, name }: RunState, place: number) {
    const { color, dash, letter } = lineStyle(place);
    const swatch = svg`<line x1="0" y1="6" x2="28" y2="6" stroke="var(${color})" stroke-dasharray=${dash.join(' ')} />`;
    return html`<button
      aria-pressed=${this.hiddenIds.has(id) ? 'false' : 'true'}
      @click=${() => {
        this.#toggle(id);
      }}
    >
      <svg width="28" height="12" aria-hidden="true">${swatch}</svg>
      <span class="letter">${letter}</span>
      <span class="name">${name}</span>
    </button>`;
  }

  #toggle(id: string): void {
    const hidden = new Set(this.hiddenIds);
    if (!hidden.delete(id)) hidden.add(id);
    this.hiddenIds = hidden;
  }

  readonly #back = (): void => {
    this.dispatchEvent(new CustomEvent('back', { bubbles: true, composed: true }));
  };
}

function sameLines(a: readonly ChartLine[], b: readonly ChartLine[]): boolean {
  const same = (x: ChartLine, y: ChartLine | undefined) =>
    x.id === y?.id && x.name === y.name && x.place === y.place && x.series === y.series;
  return a.length === b.length && a.every((line, i) => same(line, b[i]));
}

customElements.define('iw-compare', Compare);
