export interface Page {
  /** Fresh for each page. */
  nonce: string;
  /** Where the webview's own files come from, as its content security policy names them. */
  cspSource: string;
  script: string;
  style: string;
  title: string;
  /** BCP 47, of the editor's own texts. */
  language: string;
}

/** The page around the panel's app. It may load the two files of the extension and nothing else. */
export function panelHtml(page: Page): string {
  const { nonce, cspSource, script, style, title, language } = escaped(page);
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    `img-src ${cspSource}`,
  ].join('; ');
  return `<!doctype html>
<html lang="${language}">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <link rel="stylesheet" href="${style}" />
  </head>
  <body>
    <iw-app></iw-app>
    <script nonce="${nonce}" src="${script}"></script>
  </body>
</html>
`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(page: Page): Page {
  const pairs = Object.entries(page as unknown as Record<string, string>);
  return Object.fromEntries(
    pairs.map(([key, value]) => [key, value.replace(/[&<>"]/g, (char) => entities[char]!)]),
  ) as unknown as Page;
}
