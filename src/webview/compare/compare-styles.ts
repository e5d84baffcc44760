import { css } from 'lit';

export const compareStyles = css`
  header {
    padding: 8px 0;
  }
  h1 {
    flex: 1;
    font-size: 1.4em;
    font-weight: 600;
  }
  h2 {
    margin: 16px 0 8px;
    font-size: 1.1em;
    font-weight: 600;
  }
  .legend {
    gap: 4px;
    margin-bottom: 8px;
  }
  .legend button {
    display: flex;
    align-items: center;
    gap: 6px;
    max-width: 100%;
    padding: 2px 8px;
    border: 1px solid var(--vscode-contrastBorder, var(--vscode-widget-border, var(--vscode-panel-border)));
    border-radius: 3px;
    background: none;
  }
  .legend button:hover {
    background: var(--vscode-toolbar-hoverBackground);
  }
  .legend button[aria-pressed='false'] .name {
    color: var(--vscode-descriptionForeground);
    text-decoration: line-through;
  }
  .legend button[aria-pressed='false'] svg {
    visibility: hidden;
  }
  .letter {
    font-weight: 700;
  }
  .name {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  svg {
    flex: none;
    stroke-width: 2;
  }
  .charts {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(360px, 100%), 1fr));
    gap: 16px;
  }
`;
