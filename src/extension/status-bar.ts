import * as vscode from 'vscode';
import type { RunState } from '../shared/panel.js';
import { commandCategory, commandId } from './command-table.js';
import type { Parts } from './parts.js';
import { onRunsHere } from './runs-here.js';
import { statusTooltip, tooltipCommands } from './status-tooltip.js';
import { statusOf, type Status } from './status.js';
import { watchBoard } from './watch-board.js';

/** Numbers that change faster than this cannot be read. */
const everyMs = 500;
/** How long a result is shown; a failure stays until the panel, which tells its story, is looked at. */
const resultMs = 5 * 60_000;

/** The status bar item: how the training goes, and a click opens the panel. */
export function registerStatusBar({ host, panel, api }: Parts): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('status', vscode.StatusBarAlignment.Left, 10);
  item.name = commandCategory;
  item.command = commandId('openPanel');
  let runs: readonly RunState[] = [];
  const show = () => {
    if (panel.visible) news.seen();
    const recent = runs.find(({ id }) => id === news.id);
    draw(item, statusOf(runs, recent, vscode.l10n.t), statusTooltip(runs, recent, vscode.l10n.t, api.url));
  };
  const news = new News(show);
  const ends = onRunsHere(host, (run, now) => {
    if (now === 'ended') news.take(run);
    else news.clear();
  });
  const watching = watchBoard(host, everyMs, (now) => {
    runs = now;
    show();
  });
  // The panel may have come into view, or be gone.
  const tabs = vscode.window.tabGroups.onDidChangeTabs(show);
  return vscode.Disposable.from(item, news, ends, watching, tabs, api.onDidChange(show));
}

/** The run that ended here last, for as long as that is news. */
class News implements vscode.Disposable {
  readonly #expired: () => void;
  #run: RunState | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(expired: () => void) {
    this.#expired = expired;
  }

  get id(): string | undefined {
    return this.#run?.id;
  }

  take(run: RunState): void {
    this.clear();
    this.#run = run;
    if (run.progress.status === 'failed') return;
    this.#timer = setTimeout(() => {
      this.#run = undefined;
      this.#expired();
    }, resultMs).unref();
  }

  /** A person looks at the panel, which tells the story of a failure. */
  seen(): void {
    if (this.#run?.progress.status === 'failed') this.clear();
  }

  clear(): void {
    this.dispose();
    this.#run = undefined;
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }
}

function draw(item: vscode.StatusBarItem, status: Status | undefined, markdown: string): void {
  if (status === undefined) {
    item.hide();
    return;
  }
  const tooltip = new vscode.MarkdownString(markdown, true);
  tooltip.isTrusted = { enabledCommands: tooltipCommands };
  item.text = `$(${status.icon}) ${status.text}`;
  item.tooltip = tooltip;
  item.accessibilityInformation = { label: `${commandCategory}: ${status.text}`, role: 'button' };
  item.backgroundColor = status.failed ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
  item.show();
}
