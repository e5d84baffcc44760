import { LitElement, css, html } from 'lit';
import { seriesNames, type Series } from '../../shared/series.js';
import './chart.js';
import type { ChartLine } from './line.js';

let groups = 0;

/** The charts of one run. */
export class RunCharts extends LitElement {
  static override properties = {
    series: { attribute: false },
    active: { type: Boolean },
  };
  static override styles = css`
    :host {
      display: grid;
      grid-template-columns: repeat(auto-fit, minmax(min(240px, 100%), 1fr));
      gap: 12px 16px;
    }
    p {
      margin: 0;
      color: var(--vscode-descriptionForeground);
    }
  `;

  /** A new object whenever it has new points. Undefined until it is known. */
  declare series: Series | undefined;
  /** Whether more points are to come. */
  declare active: boolean;

  readonly #group = `run-charts-${++groups}`;

  constructor() {
    super();
    this.active = false;
  }

  protected override render() {
    const { series } = this;
    if (!series || series.tokens.length === 0) {
      return html`<p>
        ${this.active ? 'The charts start with the first training steps.' : 'No training steps were recorded.'}
      </p>`;
    }
    const lines: ChartLine[] = [{ id: '', name: '', place: 0, series }];
    return seriesNames.map((name) => html`<iw-chart .metric=${name} .lines=${lines} .group=${this.#group}></iw-chart>`);
  }
}

customElements.define('iw-run-charts', RunCharts);
