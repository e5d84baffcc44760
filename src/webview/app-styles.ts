import { css } from 'lit';

export const appStyles = css`
  main {
    max-width: 1200px;
    margin: 0 auto;
    padding: 12px 20px 24px;
  }

  header {
    position: sticky;
    z-index: 1;
    top: 0;
    padding: 8px 0;
    background: var(--vscode-editor-background);
  }

  h1 {
    flex: 1;
    font-size: 1.4em;
    font-weight: 600;
  }

  .note p {
    flex: 1 1 240px;
  }

  .empty {
    display: grid;
    gap: 12px;
    max-width: 60ch;
    margin: 10vh auto 0;
  }

  @media (max-width: 480px) {
    main {
      padding: 4px 8px 16px;
    }
  }
`;
