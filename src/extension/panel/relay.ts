import type { TrainingProgress } from '../../shared/events.js';
import type { FromPanel, PanelView, RunState, ToPanel } from '../../shared/panel.js';
import type { Series } from '../../shared/series.js';
import type { BoardChange, RunBoard } from '../../workbench/index.js';
import { Coalescer } from '../coalescer.js';

/** What a page asks for that the relay leaves to the rest of the extension. */
export type PanelRequest = Exclude<FromPanel, { type: 'ready' | 'watch' }>;

export interface RelayOptions {
  board: RunBoard;
  trusted: () => boolean;
  send: (message: ToPanel) => void;
  request: (request: PanelRequest) => void;
}

/** Ten messages a second, of all runs together. */
const pace = { everyMs: 100, aheadMs: 300 };

/** Tells one page what is on the board: everything when it is shown, then what changes, and nothing while it is hidden. */
export class PanelRelay {
  readonly #options: RelayOptions;
  readonly #unsubscribe: () => void;
  readonly #progress: Coalescer<TrainingProgress>;
  #changed = new Map<string, RunState | null>();
  /** The runs whose series the page shows, with what ends following them while the page can be seen. */
  readonly #watched = new Map<string, (() => void) | null>();
  #view: PanelView | undefined;
  /** Whether there is a page that listens and can be seen. */
  #live = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#progress = new Coalescer((events) => {
      this.#sendChanged();
      options.send({ type: 'progress', events });
    }, pace);
    this.#unsubscribe = options.board.subscribe((change) => {
      if (this.#live) this.#take(change);
    });
  }

  receive(message: FromPanel): void {
    if (message.type === 'ready') {
      // A page that has just been loaded watches nothing yet.
      this.hide();
      this.#watched.clear();
      this.start();
    } else if (message.type === 'watch') this.#watch(message.ids);
    else this.#options.request(message);
  }

  /** The page can be seen (again): it is told everything, also what it was told before. */
  start(): void {
    const { board, send, trusted } = this.#options;
    this.hide();
    this.#live = true;
    send({ type: 'snapshot', runs: board.list(), trusted: trusted() });
    for (const id of this.#watched.keys()) this.#follow(id);
    if (this.#view !== undefined) send({ type: 'show', view: this.#view });
    this.#view = undefined;
  }

  /** The page cannot be seen. */
  hide(): void {
    this.#live = false;
    this.#progress.clear();
    this.#changed.clear();
    for (const [id, unfollow] of this.#watched) {
      unfollow?.();
      this.#watched.set(id, null);
    }
  }

  /** Takes the page to a view, as soon as it can be seen. */
  show(view: PanelView): void {
    if (this.#live) this.#options.send({ type: 'show', view });
    else this.#view = view;
  }

  dispose(): void {
    this.hide();
    this.#unsubscribe();
  }

  #take(change: BoardChange): void {
    if (change.type === 'progress') {
      this.#progress.push(change.event.job_id, change.event);
      return;
    }
    const id = change.type === 'run' ? change.run.id : change.id;
    this.#progress.forget(id);
    if (change.type === 'removed') this.#unwatch(id);
    // A look into the runs folders tells of many runs at once: they go in one message.
    if (this.#changed.size === 0)
      queueMicrotask(() => {
        this.#sendChanged();
      });
    this.#changed.set(id, change.type === 'run' ? change.run : null);
  }

  #sendChanged(): void {
    if (this.#changed.size === 0) return;
    const changed = [...this.#changed.values()].filter((run) => run !== null);
    const removed = [...this.#changed].filter(([, run]) => run === null).map(([id]) => id);
    this.#changed = new Map();
    this.#options.send({ type: 'runs', changed, removed });
  }

  #watch(ids: readonly string[]): void {
    for (const id of this.#watched.keys()) if (!ids.includes(id)) this.#unwatch(id);
    for (const id of ids) if (!this.#watched.has(id)) this.#follow(id);
  }

  #unwatch(id: string): void {
    this.#watched.get(id)?.();
    this.#watched.delete(id);
  }

  #follow(id: string): void {
    const { board, send } = this.#options;
    const tell = (start: number, series: Series) => {
      send({ type: 'series', id, start, series });
    };
    this.#watched.set(id, this.#live ? board.follow(id, tell) : null);
  }
}
