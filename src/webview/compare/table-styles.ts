import { css } from 'lit';

export const tableStyles = css`
  :host {
    --line: var(--vscode-contrastBorder, var(--vscode-panel-border, var(--vscode-widget-border, transparent)));
  }
  .same {
    margin-bottom: 8px;
    overflow-wrap: anywhere;
  }
  .scroll {
    overflow-x: auto;
    margin-bottom: 8px;
  }
  table {
    border-collapse: separate;
    border-spacing: 0;
    font-variant-numeric: tabular-nums;
  }
  th,
  td {
    padding: 4px 8px;
    text-align: end;
    vertical-align: bottom;
    white-space: nowrap;
    border-bottom: 1px solid var(--line);
  }
  tbody > tr > * {
    vertical-align: top;
  }
  thead th {
    white-space: normal;
  }
  .words {
    text-align: start;
  }
  td.words {
    min-width: min-content;
    max-width: 30ch;
    white-space: normal;
  }
  thead th {
    font-weight: 600;
  }
  th[scope='colgroup'] {
    text-align: start;
    white-space: nowrap;
    color: var(--vscode-descriptionForeground);
    border-inline-start: 1px solid var(--line);
  }
  tr > th:first-child[rowspan='2'],
  th[scope='row'] {
    position: sticky;
    inset-inline-start: 0;
    text-align: start;
    min-width: 14ch;
    max-width: 30vw;
    background: var(--vscode-editor-background);
    border-inline-end: 1px solid var(--line);
  }
  th[scope='row'] {
    font-weight: normal;
    white-space: normal;
    overflow-wrap: anywhere;
  }
  tbody tr:hover > * {
    background: linear-gradient(var(--vscode-list-hoverBackground), var(--vscode-list-hoverBackground))
      var(--vscode-editor-background);
  }
  th button {
    width: 100%;
    padding: 2px 0;
    border: 0;
    background: none;
    text-align: inherit;
    font-weight: inherit;
  }
  th button:hover {
    text-decoration: underline;
  }
  .arrow {
    font-size: 0.75em;
  }
  .best {
    font-weight: 700;
  }
`;
