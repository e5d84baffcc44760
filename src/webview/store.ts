import type { TrainingProgress } from '../shared/events.js';
import { isActive, type RunState, type ToPanel } from '../shared/panel.js';
import { withPart, type Series } from '../shared/series.js';

/** A run before and after a message. */
export interface RunChange {
  before: RunState | undefined;
  now: RunState;
}

/** What one message changed. */
export interface Change {
  /** Everything was told anew. */
  snapshot: boolean;
  /** Runs came, went or changed their places, or the workspace's trust changed. */
  list: boolean;
  runs: RunChange[];
  /** Ids of the runs whose series grew. */
  series: string[];
}

const nothing: Change = { snapshot: false, list: false, runs: [], series: [] };

/** What the panel was told, and nothing else. Values are replaced, never changed, so that identity tells what is new. */
export class RunStore {
  /** False until the first snapshot. */
  ready = false;
  trusted = true;
  /** Ids in the order of display: active runs before those that are over, each newest first. */
  ids: readonly string[] = [];
  readonly #runs = new Map<string, RunState>();
  readonly #series = new Map<string, Series>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #followers = new Map<string, Set<() => void>>();

  run(id: string): RunState | undefined {
    return this.#runs.get(id);
  }

  series(id: string): Series | undefined {
    return this.#series.get(id);
  }

  /** Calls the listener after every message that changed something. Returns what ends that. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls the listener when this run or its series changed. Returns what ends that. */
  follow(id: string, listener: () => void): () => void {
    const followers = this.#followers.get(id) ?? new Set();
    this.#followers.set(id, followers.add(listener));
    return () => {
      followers.delete(listener);
      if (followers.size === 0) this.#followers.delete(id);
    };
  }

  /** Takes a message in. Messages to the view (`show`) change nothing here. */
  apply(message: ToPanel): void {
    switch (message.type) {
      case 'snapshot':
        this.#replace(message.runs, message.trusted);
        break;
      case 'runs':
        this.#update(message.changed, message.removed);
        break;
      case 'progress':
        this.#update(message.events.flatMap((event) => this.#moved(event)));
        break;
      case 'series':
        this.#splice(message.id, message.start, message.series);
        break;
      case 'show':
        break;
    }
  }

  #replace(runs: RunState[], trusted: boolean): void {
    const before = new Map(this.#runs);
    this.#runs.clear();
    for (const run of runs) this.#runs.set(run.id, run);
    for (const id of this.#series.keys()) if (!this.#runs.has(id)) this.#series.delete(id);
    this.ready = true;
    this.trusted = trusted;
    this.#sort();
    const changes = runs.map((now) => ({ before: before.get(now.id), now }));
    this.#tell({ snapshot: true, list: true, runs: changes, series: [] });
  }

  #update(changed: RunState[], removed: string[] = []): void {
    const changes = changed.map((now) => ({ before: this.#runs.get(now.id), now }));
    const gone = removed.filter((id) => this.#runs.delete(id));
    for (const id of gone) this.#series.delete(id);
    for (const run of changed) this.#runs.set(run.id, run);
    const list =
      gone.length > 0 || changes.some(({ before, now }) => before === undefined || isActive(before) !== isActive(now));
    if (list) this.#sort();
    if (list || changes.length > 0) this.#tell({ ...nothing, list, runs: changes });
  }

  /** A run with its new progress; nothing if the run is unknown or something newer was told of it already. */
  #moved(event: TrainingProgress): RunState[] {
    const run = this.#runs.get(event.job_id);
    if (run === undefined) return [];
    const { attempt, seq } = run.progress;
    const older = event.attempt < attempt || (event.attempt === attempt && event.seq < seq);
    return older ? [] : [{ ...run, progress: event }];
  }

  #splice(id: string, start: number, added: Series): void {
    const known = this.#series.get(id);
    // Points behind a gap would be drawn at wrong places in the columns.
    if (!this.#runs.has(id) || start > (known?.step.length ?? 0)) return;
    this.#series.set(id, known === undefined ? added : withPart(known, { start, series: added }));
    this.#tell({ ...nothing, series: [id] });
  }

  #sort(): void {
    const rank = (run: RunState) => (isActive(run) ? 0 : 1);
    const later = (a: RunState, b: RunState) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0);
    this.ids = [...this.#runs.values()].sort((a, b) => rank(a) - rank(b) || later(a, b)).map(({ id }) => id);
  }

  #tell(change: Change): void {
    for (const id of new Set([...change.runs.map(({ now }) => now.id), ...change.series])) {
      for (const listener of this.#followers.get(id) ?? []) listener();
    }
    for (const listener of this.#listeners) listener(change);
  }
}
