import { isActive, mostWatched, type RunState } from '../shared/panel.js';

/** What a person did to the panel, as far as it should outlive the page. It names runs but knows nothing about them. */
export interface ViewState {
  view: 'runs' | 'compare';
  /** Cards that were opened or closed; others follow `isExpanded`. */
  expanded: Readonly<Record<string, boolean>>;
  /** The runs chosen for comparing, in the order of choosing. */
  selected: readonly string[];
}

export const firstView: ViewState = { view: 'runs', expanded: {}, selected: [] };

/** What was remembered, or the first view where that is not ours or of another version. */
export function recalled(value: unknown): ViewState {
  if (typeof value !== 'object' || value === null) return firstView;
  const { view, expanded, selected } = value as Partial<Record<keyof ViewState, unknown>>;
  const opened = typeof expanded === 'object' && expanded !== null ? Object.entries(expanded) : [];
  return {
    view: view === 'compare' ? 'compare' : 'runs',
    expanded: Object.fromEntries(opened.filter(([, open]) => typeof open === 'boolean')),
    selected: Array.isArray(selected) ? selected.filter((id) => typeof id === 'string') : [],
  };
}

export function isExpanded(state: ViewState, run: RunState): boolean {
  return state.expanded[run.id] ?? isActive(run);
}

export function withExpanded(state: ViewState, id: string, open: boolean): ViewState {
  return { ...state, expanded: { ...state.expanded, [id]: open } };
}

export function withSelected(state: ViewState, id: string, on: boolean): ViewState {
  const others = state.selected.filter((other) => other !== id);
  return { ...state, selected: on ? [...others, id] : others };
}

/**
 * The state among these runs: what is gone is forgotten, and a run that was seen active stays open when it ends, so that
 * its result does not disappear before the eyes of who watched it.
 */
export function among(state: ViewState, runs: readonly RunState[]): ViewState {
  const expanded = runs.flatMap((run): [string, boolean][] => {
    const open = state.expanded[run.id] ?? (isActive(run) ? true : undefined);
    return open === undefined ? [] : [[run.id, open]];
  });
  const ids = new Set(runs.map(({ id }) => id));
  const selected = state.selected.filter((id) => ids.has(id));
  return {
    view: selected.length === 0 ? 'runs' : state.view,
    expanded: Object.fromEntries(expanded),
    selected,
  };
}

/** The runs whose charts can be seen. */
export function watched(state: ViewState, runs: readonly RunState[]): string[] {
  const seen = (run: RunState) => (state.view === 'compare' ? state.selected.includes(run.id) : isExpanded(state, run));
  return runs
    .filter(seen)
    .slice(0, mostWatched)
    .map(({ id }) => id);
}
