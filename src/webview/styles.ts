import { css } from 'lit';

/** What every component of the panel has in common. Colours are the theme's; contrast borders exist in some themes only. */
export const shared = css`
  :host {
    display: block;
  }

  * {
    box-sizing: border-box;
  }

  h1,
  h2,
  h3,
  p,
  dl,
  dd,
  table {
    margin: 0;
    font-weight: inherit;
  }

  .muted {
    color: var(--vscode-descriptionForeground);
  }

  .number {
    font-variant-numeric: tabular-nums;
  }

  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    align-items: center;
  }

  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  button,
  summary {
    font: inherit;
    color: inherit;
    cursor: pointer;
  }

  button:focus-visible,
  summary:focus-visible,
  [tabindex]:focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: 2px;
  }

  button.link {
    padding: 0;
    border: 0;
    background: none;
    color: var(--vscode-textLink-foreground);
    text-decoration: underline;
  }

  button.link:hover {
    color: var(--vscode-textLink-activeForeground);
  }

  /* the package gives both kinds of button the border of the first */
  vscode-button[secondary] {
    --vscode-button-border: var(
      --vscode-button-secondaryBorder,
      var(--vscode-contrastBorder, var(--vscode-button-secondaryBackground))
    );
  }

  .note {
    padding: 8px 12px;
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-inline-start: 3px solid var(--note-color, var(--vscode-charts-blue));
    background: color-mix(in srgb, var(--note-color, var(--vscode-charts-blue)) 10%, transparent);
  }

  .note.warning {
    --note-color: var(--vscode-charts-yellow);
  }

  .note.error {
    --note-color: var(--vscode-charts-red);
  }
`;
