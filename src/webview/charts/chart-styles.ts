import { css, unsafeCSS } from 'lit';
import uPlotCss from 'uplot/dist/uPlot.min.css' with { type: 'text' };

/** Looks of a chart; sizes that the canvas shares are in chart.ts and plot.ts. */
export const chartStyles = [
  unsafeCSS(uPlotCss),
  css`
    :host {
      display: block;
      min-width: 0;
    }
    [hidden] {
      display: none !important;
    }
    figure {
      margin: 0;
      display: grid;
      grid-template-columns: 1fr auto;
      align-items: baseline;
      gap: 2px 8px;
    }
    figcaption {
      min-width: 0;
      white-space: nowrap;
      overflow: hidden;
      text-overflow: ellipsis;
    }
    .label {
      font-weight: 600;
    }
    .unit {
      color: var(--vscode-descriptionForeground);
      font-size: 0.9em;
    }
    .tools {
      display: flex;
      gap: 4px;
    }
    .plot,
    .table {
      grid-column: 1 / -1;
      height: 160px;
      min-width: 0;
    }
    .empty {
      margin: 0;
      height: 100%;
      display: grid;
      place-items: center;
      color: var(--vscode-descriptionForeground);
      border: 1px dashed var(--vscode-contrastBorder, var(--vscode-panel-border, transparent));
      box-sizing: border-box;
    }
    .uplot {
      font-family: inherit;
      line-height: inherit;
    }
    .u-hz .u-cursor-x {
      border-right-color: var(--vscode-descriptionForeground);
    }
    .readout {
      position: absolute;
      top: 0;
      z-index: 1;
      pointer-events: none;
      white-space: nowrap;
      padding: 2px 6px;
      font-size: 0.9em;
      color: var(--vscode-editorHoverWidget-foreground);
      background: var(--vscode-editorHoverWidget-background);
      border: 1px solid var(--vscode-contrastBorder, var(--vscode-editorHoverWidget-border));
      border-radius: 3px;
    }
    .readout > div {
      display: flex;
      justify-content: space-between;
      gap: 8px;
    }
    .readout .name {
      max-width: 20ch;
      overflow: hidden;
      text-overflow: ellipsis;
      border-left: 3px solid var(--line);
      padding-left: 4px;
    }
    button {
      font: inherit;
      font-size: 0.9em;
      color: var(--vscode-descriptionForeground);
      background: none;
      border: 1px solid transparent;
      border-radius: 3px;
      padding: 0 5px;
      cursor: pointer;
    }
    button:hover {
      background: var(--vscode-toolbar-hoverBackground);
      outline: 1px dashed var(--vscode-contrastActiveBorder, transparent);
    }
    button:focus-visible,
    .table:focus-visible {
      outline: 1px solid var(--vscode-focusBorder);
      outline-offset: -1px;
    }
    button[aria-pressed='true'] {
      color: var(--vscode-inputOption-activeForeground);
      background: var(--vscode-inputOption-activeBackground);
      border-color: var(--vscode-inputOption-activeBorder);
    }
    .table {
      overflow: auto;
    }
    table {
      border-collapse: collapse;
      width: 100%;
      font-variant-numeric: tabular-nums;
    }
    th,
    td {
      text-align: right;
      font-weight: normal;
      padding: 1px 8px;
      border-bottom: 1px solid var(--vscode-contrastBorder, var(--vscode-panel-border, transparent));
    }
    thead th {
      position: sticky;
      top: 0;
      font-weight: 600;
      background: var(--vscode-editor-background);
    }
  `,
];
