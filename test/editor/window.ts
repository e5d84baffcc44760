import assert from 'node:assert/strict';
import type { BrowserContext, FrameLocator, Locator, Page } from 'playwright-core';
import type { EditorHost } from './host.js';
import { extensionId } from './installed.js';

const category = 'Interpretability Workbench';

/** A window of VS Code, as a person sees and uses it. */
export class EditorWindow {
  readonly page: Page;
  /** The rows of an open quick pick. */
  readonly rows: Locator;
  /** Title and step of an open quick pick. */
  readonly pickTitle: Locator;
  /** The extension's item in the status bar. */
  readonly status: Locator;
  readonly notifications: Locator;
  /** The rows of the "Runs" view. */
  readonly tree: Locator;
  /** The document of the panel. */
  readonly panel: FrameLocator;
  readonly #frame: Locator;

  private constructor(page: Page) {
    this.page = page;
    const widget = page.locator('.quick-input-widget:visible');
    this.rows = widget.locator('.monaco-list-row');
    this.pickTitle = widget.locator('.quick-input-title');
    this.status = page.locator(`[id="${extensionId}.status"]`);
    this.notifications = page.locator('.notifications-toasts .notification-list-item');
    this.tree = page.locator('.pane', { hasText: 'Runs' }).locator('.monaco-list-row');
    this.#frame = page.locator(`iframe.webview[src*="extensionId=${extensionId}"]`);
    this.panel = this.#frame.contentFrame().locator('iframe#active-frame').contentFrame();
  }

  /** Opens a folder, or an empty window. */
  static async open(context: BrowserContext, host: EditorHost, folder?: string): Promise<EditorWindow> {
    const page = await context.newPage();
    const query = new URLSearchParams(folder === undefined ? { ew: 'true' } : { folder });
    await page.goto(`${host.url}/?${query.toString()}`);
    const window = new EditorWindow(page);
    await window.#ready();
    return window;
  }

  /** Runs a command by typing its title into the palette and pressing Enter. */
  command(title: string): Promise<void> {
    return this.#enter('F1', `>${title}`, title);
  }

  /** Opens a file of the folder by typing its name, with the keyboard alone, to write in it. */
  async quickOpen(file: string): Promise<void> {
    await this.#enter('Control+P', file, file);
    await this.editor(file).locator('.monaco-editor.focused').waitFor();
  }

  /** One of the extension's own. */
  run(title: string): Promise<void> {
    return this.command(`${category}: ${title}`);
  }

  /** Where an open quick pick takes what is typed. */
  get input(): Locator {
    return this.page.locator('.quick-input-widget:visible input').first();
  }

  /** A card of the panel, by the run's name. */
  card(name: string): Card {
    const heading = this.page.locator('h2').getByText(name, { exact: true });
    return new Card(this.panel.locator('iw-run-card').filter({ has: heading }));
  }

  /** A row of the "Runs" view, by the run's name. */
  treeRow(name: string): Locator {
    return this.tree.filter({ has: this.page.getByText(name, { exact: true }) });
  }

  /** Chooses from the context menu of an element. */
  async menu(element: Locator, item: string): Promise<void> {
    await element.click({ button: 'right' });
    await this.page.getByRole('menuitem', { name: item, exact: true }).hover();
    // A menu takes no click in its first tenth of a second, so that the one that opens it chooses nothing.
    await this.page.keyboard.press('Enter');
  }

  /** Replaces the settings of this machine, in their editor. */
  async writeSettings(settings: Record<string, unknown>): Promise<void> {
    await this.command(`Preferences: Open Remote Settings (JSON) (${new URL(this.page.url()).host})`);
    await this.editor('settings.json').locator('.monaco-editor.focused').waitFor();
    await this.page.evaluate((text) => navigator.clipboard.writeText(text), JSON.stringify(settings));
    for (const key of ['A', 'V', 'S']) await this.page.keyboard.press(`Control+${key}`);
  }

  /** Answers a dialog that asks for a folder, by the button of that name. `inside`: a folder in it, which the dialog lists. */
  async chooseFolder(folder: string, inside: string, button: string): Promise<void> {
    // The folder in which it starts, which it would put in place of what is typed before.
    await this.rows.getByText('..', { exact: true }).waitFor();
    await this.input.fill(`${folder}/`);
    await this.rows.getByText(inside, { exact: true }).waitFor();
    await this.page.locator('.quick-input-widget:visible').getByRole('button', { name: button }).click();
  }

  /** The document of a Markdown preview. */
  get preview(): FrameLocator {
    const frame = this.page.locator('iframe.webview[src*="extensionId=vscode.markdown-language-features"]');
    return frame.contentFrame().locator('iframe#active-frame').contentFrame();
  }

  /** An editor in sight, by its file's name. */
  editor(file: string): Locator {
    return this.page.locator(`.editor-instance[aria-label^="${file}"]`);
  }

  /** Opens a file of the folder from the explorer, to write in it. */
  async openFile(file: string): Promise<Locator> {
    await this.page.getByRole('treeitem', { name: file }).dblclick();
    const editor = this.editor(file);
    await editor.locator('.monaco-editor.focused').waitFor();
    return editor;
  }

  /** The lines of the Output view that are in sight. */
  get output(): Locator {
    return this.page.locator('.output-view .view-line');
  }

  /** As the command of that name does. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.command('Developer: Reload Window');
    await loaded;
    await this.#ready();
  }

  /** Loads the panel's page again, as the command of that name does. */
  async reloadPanel(): Promise<void> {
    await this.panel.locator('iw-app').evaluate((app) => {
      app.dataset.old = '';
    });
    await this.command('Developer: Reload Webviews');
    await this.panel.locator('iw-app:not([data-old])').waitFor();
  }

  close(): Promise<void> {
    return this.page.close();
  }

  /** Opens a list by a key, types, goes to the row that says this, and presses Enter. */
  async #enter(key: string, typed: string, row: string): Promise<void> {
    await this.page.keyboard.press(key);
    await this.input.fill(typed);
    const wanted = this.rows.filter({ has: this.page.getByText(row, { exact: true }) }).first();
    await wanted.waitFor();
    const reached = wanted.and(this.page.locator('.focused'));
    for (let downs = 0; !(await reached.isVisible()); downs++) {
      assert.ok(downs < 50, `“${row}” is not reached by the arrow key`);
      await this.page.keyboard.press('ArrowDown');
    }
    await this.page.keyboard.press('Enter');
  }

  async #ready(): Promise<void> {
    await this.page.locator('.statusbar-item').first().waitFor();
    // The palette lists what there is when it is opened: the commands of extensions come a little later than the window.
    await this.page.waitForFunction(() => performance.getEntriesByName('code/didHandleExtensionPoints').length > 0);
  }
}

/** Waits until an element says something else than now; what it said before and what it says then. */
export async function change(element: Locator): Promise<[string, string]> {
  const before = await element.innerText();
  const same = new RegExp(`^\\s*${before.replace(/[^a-z0-9]/gi, (sign) => `\\${sign}`)}\\s*$`);
  await element.filter({ hasNotText: same }).waitFor();
  return [before, await element.innerText()];
}

/** A card of the panel. */
export class Card {
  readonly root: Locator;
  constructor(root: Locator) {
    this.root = root;
  }

  /** What it shows: `status`, `progress`, `step`, a metric … */
  field(name: string): Locator {
    return this.root.locator(`[data-field="${name}"]`);
  }

  action(name: string): Locator {
    return this.root.locator(`[data-action="${name}"]`);
  }

  /** Of a metric. */
  chart(label: string): Locator {
    return this.root.locator('iw-chart', { hasText: label });
  }

  /** How full the bar of the whole run is, 0–100. */
  bar(): Promise<number> {
    return this.root.locator('progress.whole').evaluate((bar: HTMLProgressElement) => bar.value);
  }

  /** The training steps done. */
  async step(): Promise<number> {
    return Number((await this.field('step').innerText()).replaceAll(',', ''));
  }

  /** Resolves when its badge says this. */
  async is(status: string): Promise<void> {
    await this.field('status').getByText(status, { exact: true }).waitFor();
  }
}
