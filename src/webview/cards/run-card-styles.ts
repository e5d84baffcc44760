import { css } from 'lit';

export const cardStyles = css`
  :host {
    container-type: inline-size;
    margin-bottom: 8px;
    scroll-margin-top: 48px;
  }

  article {
    border: 1px solid var(--vscode-contrastBorder, var(--vscode-widget-border, var(--vscode-panel-border)));
    border-radius: 4px;
    background: var(--vscode-editorWidget-background);
  }

  /* inside, where the header that stays on top cannot hide it */
  article:focus-visible {
    outline-offset: -1px;
  }

  .head {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 8px;
    align-items: center;
    padding: 4px 12px;
  }

  h2 {
    flex: 0 1 auto;
    min-width: 0;
    font-size: 1em;
    font-weight: 600;
  }

  h2 button {
    display: flex;
    gap: 4px;
    align-items: center;
    padding: 4px 0;
    border: 0;
    background: none;
    text-align: start;
    overflow-wrap: anywhere;
  }

  h2 button:focus-visible {
    outline-offset: 0;
  }

  h2 svg {
    flex: none;
  }

  h2 button[aria-expanded='true'] svg {
    transform: rotate(90deg);
  }

  .summary {
    flex: 1 1 auto;
    text-align: end;
  }

  .badge {
    --kind: var(--vscode-descriptionForeground);
    display: inline-flex;
    gap: 6px;
    align-items: center;
    padding: 0 8px;
    border: 1px solid var(--kind);
    border-radius: 10px;
    background: color-mix(in srgb, var(--kind) 15%, transparent);
    font-size: 0.9em;
    white-space: nowrap;
  }

  .badge::before {
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--kind);
    content: '';
  }

  .badge[data-kind='starting'] {
    --kind: var(--vscode-charts-blue);
  }

  .badge[data-kind='progress'] {
    --kind: var(--vscode-charts-yellow);
  }

  .badge[data-kind='completed'] {
    --kind: var(--vscode-charts-green);
  }

  .badge[data-kind='failed'] {
    --kind: var(--vscode-charts-red);
  }

  .badge[data-kind='paused'] {
    --kind: var(--vscode-charts-purple);
  }

  .badge[data-kind='interrupted'] {
    --kind: var(--vscode-symbolIcon-classForeground);
  }

  #body:not([hidden]) {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 12px;
    padding: 4px 16px 16px;
  }

  .origin {
    overflow-wrap: anywhere;
  }

  .progress {
    display: grid;
    gap: 3px;
  }

  progress,
  meter {
    --track: color-mix(in srgb, var(--vscode-foreground) 15%, transparent);
  }

  progress {
    width: 100%;
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-radius: 3px;
    overflow: hidden;
    appearance: none;
    background: var(--track);
  }

  progress.whole {
    height: 8px;
  }

  progress.phase {
    height: 4px;
  }

  progress::-webkit-progress-bar {
    background: var(--track);
  }

  progress::-webkit-progress-value {
    background: var(--vscode-progressBar-background);
  }

  progress::-moz-progress-bar {
    background: var(--vscode-progressBar-background);
  }

  meter {
    width: 100%;
    height: 8px;
    appearance: none;
  }

  meter::-webkit-meter-bar {
    height: 8px;
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-radius: 3px;
    background: var(--track);
  }

  meter::-webkit-meter-optimum-value {
    background: var(--vscode-progressBar-background);
  }

  .facts {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 18px;
  }

  .facts div {
    display: flex;
    gap: 6px;
  }

  dt {
    color: var(--vscode-descriptionForeground);
  }

  .tiles {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(136px, 100%), 1fr));
    gap: 8px;
  }

  .tiles div {
    padding: 6px 10px;
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-radius: 3px;
    background: color-mix(in srgb, var(--vscode-foreground) 5%, transparent);
  }

  .tiles .value {
    font-size: 1.3em;
  }

  .unit {
    font-size: 0.9em;
  }

  .message {
    overflow-wrap: anywhere;
    font-weight: 600;
  }

  table {
    width: 100%;
    border-collapse: collapse;
  }

  caption {
    padding-bottom: 4px;
    font-weight: 600;
    text-align: start;
  }

  caption .muted {
    font-weight: normal;
  }

  th,
  td {
    padding: 3px 12px 3px 0;
    border-bottom: 1px solid var(--vscode-widget-border, var(--vscode-panel-border));
    text-align: start;
    vertical-align: top;
    font-weight: normal;
  }

  thead th {
    color: var(--vscode-descriptionForeground);
  }

  .value {
    white-space: nowrap;
  }

  td.value,
  th.value {
    text-align: end;
  }

  td.share {
    width: 40%;
    vertical-align: middle;
  }

  .curve {
    font-family: var(--vscode-editor-font-family);
  }

  .details {
    margin-top: 4px;
  }

  .details td,
  .details th {
    overflow-wrap: anywhere;
  }

  @container (max-width: 560px) {
    td.unit,
    th.unit,
    td.about {
      display: none;
    }

    .summary {
      flex-basis: 100%;
      text-align: start;
    }

    #body:not([hidden]) {
      padding: 4px 10px 12px;
    }
  }
`;
