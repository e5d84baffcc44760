import * as vscode from 'vscode';
import { isActive, type RunState } from '../../shared/panel.js';
import { badgeOf } from '../../shared/wording.js';
import type { BoardChange, RunBoard } from '../../workbench/index.js';
import { commandId } from '../command-table.js';
import { Coalescer } from '../coalescer.js';
import type { Parts } from '../parts.js';
import { reportProblem } from '../problem.js';
import { contextOf, iconOf, summaryOf } from './run-text.js';
import { runTooltip } from './run-tooltip.js';

const viewId = 'interpretabilityWorkbench.runs';

/** Rows are drawn anew once a second at most: numbers that change faster cannot be read. */
const pace = { everyMs: 1000, aheadMs: 0 };

/** The "Runs" tree view. */
export function registerRunsTree(parts: Parts): vscode.Disposable {
  const runs = new RunsTree(parts);
  const view = vscode.window.createTreeView(viewId, { treeDataProvider: runs, canSelectMany: true });
  const opened = parts.host.onDidOpen(({ board }) => {
    runs.follow(board, (active) => {
      view.badge = active === 0 ? undefined : { value: active, tooltip: vscode.l10n.t('Active runs: {0}', active) };
    });
  });
  return vscode.Disposable.from(opened, view, runs);
}

/** Its elements are the ids of runs, which is also what commands in its menus are given. */
class RunsTree implements vscode.TreeDataProvider<string> {
  readonly #parts: Parts;
  readonly #changed = new vscode.EventEmitter<string[] | undefined>();
  readonly #progress = new Coalescer<string>((ids) => {
    this.#changed.fire(ids);
  }, pace);
  #board: RunBoard | undefined;
  #shown: readonly string[] = [];
  #unfollow: (() => void) | undefined;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Shows what is on the board, and tells how many runs are active whenever that may have changed. */
  follow(board: RunBoard, tellActive: (count: number) => void): void {
    const count = () => {
      tellActive(board.list().filter(isActive).length);
    };
    this.#board = board;
    this.#unfollow = board.subscribe((change) => {
      this.#take(change);
      if (change.type !== 'progress') count();
    });
    count();
    this.#changed.fire(undefined);
  }

  async getChildren(parent?: string): Promise<string[]> {
    if (parent !== undefined) return [];
    const { host } = this.#parts;
    try {
      const { board } = await host.open();
      this.#shown = board.list().map(({ id }) => id);
    } catch (error) {
      void reportProblem(error, host.log);
    }
    return [...this.#shown];
  }

  getTreeItem(id: string): vscode.TreeItem {
    const run = this.#board?.get(id);
    const item = new vscode.TreeItem(run?.name ?? id);
    item.id = id;
    return run === undefined ? item : Object.assign(item, appearanceOf(run));
  }

  resolveTreeItem(item: vscode.TreeItem, id: string): vscode.TreeItem {
    const run = this.#board?.get(id);
    if (run !== undefined) item.tooltip = new vscode.MarkdownString(runTooltip(run, vscode.l10n.t));
    return item;
  }

  getParent(): undefined {
    return undefined;
  }

  dispose(): void {
    this.#unfollow?.();
    this.#progress.clear();
    this.#changed.dispose();
  }

  #take(change: BoardChange): void {
    if (change.type === 'progress') this.#progress.push(change.event.job_id, change.event.job_id);
    else if (change.type === 'run' && this.#shown.includes(change.run.id)) this.#changed.fire([change.run.id]);
    else this.#changed.fire(undefined);
  }
}

function appearanceOf(run: RunState): Partial<vscode.TreeItem> {
  const { id, color } = iconOf(run);
  const description = summaryOf(run, vscode.l10n.t);
  return {
    description,
    iconPath: new vscode.ThemeIcon(id, color === undefined ? undefined : new vscode.ThemeColor(color)),
    contextValue: contextOf(run),
    accessibilityInformation: { label: `${run.name}, ${badgeOf(run.progress.status).text}, ${description}` },
    command: { command: commandId('openPanel'), title: vscode.l10n.t('Open Panel'), arguments: [run.id] },
  };
}
