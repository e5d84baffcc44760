import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'esbuild';
import { panelHtml } from '../../src/extension/panel/html.js';
import type { FromPanel, ToPanel } from '../../src/shared/panel.js';
import themes from '../fixtures/themes.json';

export type ThemeName = keyof typeof themes;
export const themeNames = Object.keys(themes) as ThemeName[];

const origin = 'http://panel.test';
const root = path.resolve(__dirname, '..', '..');
let files: Promise<Map<string, string>> | undefined;

/** The panel's two files, built as the extension's build does it. */
async function panelFiles(): Promise<Map<string, string>> {
  const common = { absWorkingDir: root, outdir: '/', bundle: true, write: false } as const;
  const [script, style] = await Promise.all([
    build({
      ...common,
      entryPoints: ['src/webview/main.ts'],
      format: 'iife',
      target: 'es2022',
      loader: { '.css': 'text' },
    }),
    build({ ...common, entryPoints: ['src/webview/page.css'] }),
  ]);
  const files = [...script.outputFiles, ...style.outputFiles];
  return new Map(files.map((file) => [path.basename(file.path), file.text]));
}

export interface PanelOptions {
  theme?: ThemeName;
  width?: number;
  /** What VS Code kept for the page that was there before. */
  remembered?: unknown;
}

/** The panel's page under its own content security policy; this test is its extension host. */
export class PanelPage {
  readonly page: Page;
  /** Violations of the policy and errors of the script: there should be none. */
  readonly faults: string[] = [];

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(
    browser: Browser,
    { theme = 'dark', width = 1000, remembered }: PanelOptions = {},
  ): Promise<PanelPage> {
    const built = await (files ??= panelFiles());
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    const panel = new PanelPage(page);
    page.on('pageerror', (error) => panel.faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') panel.faults.push(message.text());
    });
    const html = panelHtml({
      nonce: 'n0nce',
      cspSource: origin,
      script: `${origin}/main.js`,
      style: `${origin}/page.css`,
      title: 'Interpretability Workbench',
      language: 'en',
    });
    await page.route(`${origin}/**`, (route) => {
      const name = path.basename(new URL(route.request().url()).pathname);
      const type = name.endsWith('.js') ? 'text/javascript' : name.endsWith('.css') ? 'text/css' : 'text/html';
      return route.fulfill({ body: built.get(name) ?? html, contentType: `${type}; charset=utf-8` });
    });
    page.setDefaultTimeout(10_000);
    // tsx marks functions with a helper that a page does not have.
    await page.addInitScript('globalThis.__name = (value) => value');
    // The browser's side of a webview, which VS Code provides.
    await page.addInitScript((state) => {
      const posted: unknown[] = [];
      let kept = state;
      Object.assign(window, {
        posted,
        kept: () => kept,
        acquireVsCodeApi: () => ({
          postMessage: (message: unknown) => posted.push(message),
          getState: () => kept,
          setState: (next: unknown) => (kept = next),
        }),
      });
    }, remembered);
    await page.goto(`${origin}/`);
    await panel.setTheme(theme);
    return panel;
  }

  /** Sets the theme as VS Code does: variables in the root's style, the kind in the body's class. */
  async setTheme(theme: ThemeName): Promise<void> {
    await this.page.evaluate(
      ({ kind, variables }) => {
        const { style } = document.documentElement;
        for (const [name, value] of Object.entries(variables)) style.setProperty(name, value);
        document.body.className = kind;
      },
      themes[theme] as { kind: string; variables: Record<string, string> },
    );
  }

  /** Delivers messages in one task each; the page has rendered them when it resolves. */
  async send(...messages: ToPanel[]): Promise<void> {
    await this.page.evaluate(async (all) => {
      for (const data of all) window.dispatchEvent(new MessageEvent('message', { data }));
      await new Promise((painted) => requestAnimationFrame(painted));
    }, messages);
  }

  /** What the page has said so far. */
  posted(): Promise<FromPanel[]> {
    return this.page.evaluate(() => (window as unknown as { posted: FromPanel[] }).posted);
  }

  /** What the page would find again after it was taken down. */
  kept(): Promise<unknown> {
    return this.page.evaluate(() => (window as unknown as { kept: () => unknown }).kept());
  }
}
