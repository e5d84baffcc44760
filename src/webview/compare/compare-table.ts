import { LitElement, html, nothing } from 'lit';
import { ifDefined } from 'lit/directives/if-defined.js';
import type { RunState } from '../../shared/panel.js';
import { lineStyle } from '../charts/line.js';
import { shared } from '../styles.js';
import type { Column } from './column.js';
import { compareRuns } from './columns.js';
import { toMarkdown, toTsv, type Rows } from './copy.js';
import { best, nextOrder, ordered, type Order } from './order.js';
import { tableStyles } from './table-styles.js';

const runColumn: Column = {
  key: 'run',
  label: 'Run',
  definition: '',
  value: ({ name }) => name,
  text: String,
  better: null,
};

/** The results of runs in a table that sorts by any column. The runs' order is that of their letters. */
export class CompareTable extends LitElement {
  static override properties = { runs: { attribute: false }, order: { state: true }, said: { state: true } };
  static override styles = [shared, tableStyles];

  declare runs: readonly RunState[];
  declare private order: Order | null;
  declare private said: string;

  constructor() {
    super();
    this.runs = [];
    this.order = null;
    this.said = '';
  }

  protected override render() {
    const { groups, same, ranked } = compareRuns(this.runs);
    const columns = groups.flatMap((group) => group.columns);
    const runs = this.#ordered([runColumn, ...columns]);
    return html`
      ${
        same.length > 0
          ? html`<p class="same">
              <span class="muted">Same for all:</span>
              ${same.map(
                ({ label, text }, i) => html`${i > 0 ? ' · ' : ''}<span class="muted">${label}</span> ${text}`,
              )}
            </p>`
          : nothing
      }
      <div class="scroll" tabindex="0" role="region" aria-label="Results of the compared runs">
        <table>
          <thead>
            <tr>
              ${this.#heading(runColumn, 2)}
              ${groups.map(({ label, columns: { length } }) => html`<th scope="colgroup" colspan=${length}>${label}</th>`)}
            </tr>
            <tr>
              ${columns.map((column) => this.#heading(column, 1))}
            </tr>
          </thead>
          <tbody>
            ${runs.map(
              (run) =>
                html`<tr>
                  <th scope="row"><b>${lineStyle(this.runs.indexOf(run)).letter}</b> ${run.name}</th>
                  ${columns.map((column) => this.#cell(run, column))}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <div class="row">
        <button class="link" @click=${() => this.#copy(toMarkdown(this.#rows(columns, runs)))}>Copy as Markdown</button>
        <button class="link" @click=${() => this.#copy(toTsv(this.#rows(columns, runs)))}>
          Copy for a spreadsheet
        </button>
        <span role="status">${this.said}</span>
        ${
          ranked
            ? html`<span class="muted">★ best of the column</span>`
            : html`<span class="muted">No best values are marked: the runs differ in model, hook point or text.</span>`
        }
      </div>
    `;
  }

  #ordered(columns: readonly Column[]): RunState[] {
    const column = columns.find(({ key }) => key === this.order?.key);
    return column && this.order ? ordered(this.runs, column, this.order.descending) : [...this.runs];
  }

  #heading(column: Column, rows: number) {
    const sorted = this.order?.key === column.key ? (this.order.descending ? 'descending' : 'ascending') : undefined;
    const arrow = { ascending: '▲', descending: '▼' };
    return html`<th
      scope="col"
      rowspan=${rows}
      class=${this.#hasWords(column) ? 'words' : ''}
      aria-sort=${ifDefined(sorted)}
    >
      <button title=${column.definition} @click=${() => (this.order = nextOrder(this.order, column))}>
        ${sorted ? html`<span class="arrow" aria-hidden="true">${arrow[sorted]}</span>` : nothing} ${column.label}
      </button>
    </th>`;
  }

  #hasWords(column: Column): boolean {
    return this.runs.some((run) => typeof column.value(run) === 'string');
  }

  #cell(run: RunState, column: Column) {
    const value = column.value(run);
    const isBest = value !== null && value === best(this.runs, column);
    return html`<td
      class=${this.#hasWords(column) ? 'words' : ''}
      title=${ifDefined(value === null ? column.why?.(run) : undefined)}
    >
      ${isBest ? html`<span role="img" aria-label="best">★</span> ` : nothing}<span class=${isBest ? 'best' : ''}
        >${column.text(value)}</span
      >
    </td>`;
  }

  #rows(columns: readonly Column[], runs: readonly RunState[]): Rows {
    const all = [runColumn, ...columns];
    return [all.map(({ label }) => label), ...runs.map((run) => all.map(({ value, text }) => text(value(run))))];
  }

  async #copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.said = 'Copied.';
    } catch {
      this.said = 'The clipboard is not available here. Select the table and copy it.';
    }
  }
}

customElements.define('iw-compare-table', CompareTable);
