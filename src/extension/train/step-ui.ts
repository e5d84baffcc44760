import * as vscode from 'vscode';
import { toProblem } from '../../shared/errors.js';
import type { Place } from './multi-step.js';

/** One row of a list, and what choosing it means. */
export interface Row<T> {
  label: string;
  description?: string;
  detail?: string;
  value: T;
}

/** A line between rows. */
export interface Separator {
  separator: string;
}

/** A sentence in place of rows, which Enter does not take. A line at the end of a list would not be shown. */
export interface Note {
  note: string;
}

export type Rows<T> = readonly (Row<T> | Separator | Note)[];

/** What was chosen or typed; `back` and `cancel` are the person's way out. */
export type Reply<T> = { type: 'value'; value: T } | { type: 'back' } | { type: 'cancel' };

export interface PickOptions<T> {
  place: Place;
  placeholder: string;
  rows?: Rows<T>;
  /** The row under Enter; else the first. */
  preferred?: (value: T) => boolean;
  /**
   * Finds out more while the list is shown, and shows the whole list each time it knows more. What it throws is shown in
   * the list, where it can be tried again. `signal` says that nobody waits any more.
   */
  load?: (show: (rows: Rows<T>) => void, signal: AbortSignal, typed: string) => Promise<void>;
  /** What is typed is not a filter but what `load` works on, once more after each change. */
  typed?: string;
}

export interface InputOptions {
  place: Place;
  prompt: string;
  value: string;
  /** What is wrong with it, if anything. */
  validate: (text: string) => string | undefined;
}

/** A row of the widget. Rows without a value are separators or notes, or say what went wrong. */
type Item<T> = vscode.QuickPickItem & { value?: T; retry?: boolean };

const typingPauseMs = 200;

/** A list to choose from. Enter pressed while it is still being made takes the preferred row when it is there. */
export function pick<T>(options: PickOptions<T>): Promise<Reply<T>> {
  const widget = vscode.window.createQuickPick<Item<T>>();
  dress(widget, options.place);
  widget.placeholder = options.placeholder;
  widget.matchOnDescription = true;
  widget.matchOnDetail = true;
  widget.value = options.typed ?? '';
  return new Promise((resolve) => {
    const list = new PickList(widget, options, (value) => {
      end({ type: 'value', value });
    });
    const end = whenOver(widget, resolve, () => {
      list.dispose();
    });
    list.load();
    widget.show();
  });
}

/** A line of text. */
export function input(options: InputOptions): Promise<Reply<string>> {
  const widget = vscode.window.createInputBox();
  dress(widget, options.place);
  widget.prompt = options.prompt;
  widget.value = options.value;
  return new Promise((resolve) => {
    const end = whenOver(widget, resolve);
    const check = () => (widget.validationMessage = options.validate(widget.value));
    widget.onDidChangeValue(check);
    widget.onDidAccept(() => {
      if (check() === undefined) end({ type: 'value', value: widget.value });
    });
    widget.show();
  });
}

function dress(widget: vscode.QuickInput, { step, of }: Place): void {
  widget.title = vscode.l10n.t('Train SAE');
  widget.step = step;
  widget.totalSteps = of;
  // A look at another file must not cost the answers given so far.
  widget.ignoreFocusOut = true;
}

/** Resolves once: with the reply given to the function returned, or when the person goes back or leaves. */
function whenOver<T>(
  widget: vscode.QuickPick<Item<T>> | vscode.InputBox,
  resolve: (reply: Reply<T>) => void,
  dispose: () => void = () => undefined,
): (reply: Reply<T>) => void {
  const end = (reply: Reply<T>) => {
    resolve(reply);
    dispose();
    widget.dispose();
  };
  if (widget.step !== undefined && widget.step > 1) widget.buttons = [vscode.QuickInputButtons.Back];
  widget.onDidTriggerButton(() => {
    end({ type: 'back' });
  });
  widget.onDidHide(() => {
    end({ type: 'cancel' });
  });
  return end;
}

/** The rows of a pick while they are being found out. */
class PickList<T> {
  readonly #widget: vscode.QuickPick<Item<T>>;
  readonly #options: PickOptions<T>;
  readonly #choose: (value: T) => void;
  #loading = new AbortController();
  #typing: NodeJS.Timeout | undefined;
  #impatient = false;
  /** The row that was put under Enter; another one that is active is one that the person moved to. */
  #offered: string | undefined;

  constructor(widget: vscode.QuickPick<Item<T>>, options: PickOptions<T>, choose: (value: T) => void) {
    this.#widget = widget;
    this.#options = options;
    this.#choose = choose;
    this.#show(options.rows ?? []);
    widget.onDidAccept(() => {
      const [row] = widget.activeItems;
      // The rows of what was typed before are not what Enter means now.
      const stale = options.typed !== undefined && widget.busy;
      if (stale) this.#impatient = true;
      else if (row?.retry) this.load();
      else if (row?.value !== undefined) choose(row.value);
      else this.#impatient = widget.busy;
    });
    widget.onDidChangeValue(() => {
      if (options.typed === undefined) return;
      widget.busy = true;
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => {
        this.load();
      }, typingPauseMs);
    });
  }

  load(): void {
    const { load } = this.#options;
    if (!load) return;
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    this.#widget.busy = true;
    const show = (rows: Rows<T>) => {
      if (!signal.aborted) this.#show(rows);
    };
    void load(show, signal, this.#widget.value)
      .catch((error: unknown) => {
        if (!signal.aborted) this.#fail(error);
      })
      .finally(() => {
        if (!signal.aborted) this.#loaded();
      });
  }

  dispose(): void {
    clearTimeout(this.#typing);
    this.#loading.abort();
  }

  #loaded(): void {
    this.#widget.busy = false;
    const value = this.#widget.activeItems[0]?.value;
    if (this.#impatient && value !== undefined) this.#choose(value);
    this.#impatient = false;
  }

  #show(rows: Rows<T>): void {
    const { preferred, typed } = this.#options;
    const active = this.#widget.activeItems[0]?.label;
    const items = rows.map((row): Item<T> => {
      if ('separator' in row) return { label: row.separator, kind: vscode.QuickPickItemKind.Separator };
      if ('note' in row) return { label: `$(info) ${row.note}`, alwaysShow: true };
      return { ...row, alwaysShow: typed !== undefined };
    });
    const moved = active === this.#offered ? undefined : items.find(({ label }) => label === active);
    const offered = items.find(({ value }) => value !== undefined && preferred?.(value) === true);
    const first = items.find(({ value }) => value !== undefined);
    this.#widget.keepScrollPosition = moved !== undefined;
    this.#widget.items = items;
    const next = moved ?? offered ?? first;
    if (next) this.#widget.activeItems = [next];
    this.#offered = (offered ?? first)?.label;
  }

  #fail(error: unknown): void {
    const { message, hint } = toProblem(error);
    const rows = this.#widget.items.filter(({ retry }) => !retry);
    const problem: Item<T> = { label: `$(error) ${message}`, detail: hint, retry: true, alwaysShow: true };
    const again: Item<T> = { label: `$(refresh) ${vscode.l10n.t('Try again')}`, retry: true, alwaysShow: true };
    this.#widget.items = [problem, again, ...rows];
  }
}
