import * as v from 'valibot';
import type { SaeConfig } from './config.js';
import { isTerminal, type JobStatus, type TrainingProgress } from './events.js';
import type { Evaluation } from './messages.js';
import type { Profile } from './profile.js';
import type { Series } from './series.js';

/** What the panel and the extension host say to each other. The panel holds no truth: all it shows is told it here. */

/** A run as front ends show it, whether this process trains it, another one does, or only its folder is left. */
export interface RunState {
  id: string;
  dir: string;
  /** False where nothing is kept in `dir`: the input could not be used, and why is all there is to tell. */
  saved?: false;
  name: string;
  /** Who works at it: a job of this process, another process that holds its folder, or nobody. */
  owner: 'here' | 'elsewhere' | 'nobody';
  /** The newest progress; of a run that nobody trains, its last. Its status is the run's. */
  progress: TrainingProgress;
  /** False while nothing is heard of its engine. */
  responding: boolean;
  createdAt: string;
  /** When its first attempt left the queue. */
  startedAt: string | null;
  completedAt: string | null;
  /** Why a failed run failed, and what to do. */
  error: { code: string; message: string; hint: string } | null;
  /** Whether a resume has a checkpoint to start from. */
  checkpoint: boolean;
  /** As it was given; complete once the engine has filled in the defaults. */
  config: SaeConfig;
  evaluation: Evaluation | null;
  /** Where its time went until the last checkpoint, or its end; null where that is not known. */
  profile: Profile | null;
}

/** Whether it trains, waits or pauses, rather than being over. */
export function isActive({ progress: { status } }: Pick<RunState, 'progress'>): boolean {
  return !isTerminal(status) && status !== 'interrupted';
}

/** What can be done to one run from a card, the tree or the palette. */
export const runActions = [
  'pause',
  'resume',
  'cancel',
  'evaluate',
  'export',
  'openFolder',
  'showLogs',
  'delete',
] as const;
export type RunAction = (typeof runActions)[number];

const ended: readonly JobStatus[] = ['failed', 'cancelled', 'interrupted'];

/** The actions that make sense for a run now: the one place that decides it. */
export function possibleActions({ owner, saved, progress: { status } }: RunState): RunAction[] {
  if (saved === false) return ['showLogs', 'delete'];
  const always: RunAction[] = ['openFolder', 'showLogs'];
  if (owner === 'elsewhere') return always;
  if (status === 'paused') return ['resume', 'cancel', ...always];
  if (status === 'completed') return ['evaluate', 'export', ...always, 'delete'];
  if (ended.includes(status)) return ['resume', ...always, 'delete'];
  return [...(status === 'queued' ? [] : (['pause'] as const)), 'cancel', ...always];
}

/** What the panel shows: all runs as cards, or some of them side by side. */
export type PanelView = { name: 'runs'; focus?: string } | { name: 'compare'; ids: string[] };

export type ToPanel =
  /** Everything, newest run first; sent when the panel is shown and whenever it says `ready`. */
  | { type: 'snapshot'; runs: RunState[]; trusted: boolean }
  /** Runs that are new or changed in more than their progress, and ids of runs that are gone. */
  | { type: 'runs'; changed: RunState[]; removed: string[] }
  /** The newest progress of each run that moved; in the long run at most ten such messages a second. */
  | { type: 'progress'; events: TrainingProgress[] }
  /** Points of a watched run's series from index `start` on; those before stay as they are. */
  | { type: 'series'; id: string; start: number; series: Series }
  | { type: 'show'; view: PanelView };

/** Runs whose series the panel may ask for at once. */
export const mostWatched = 200;

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

export const fromPanelSchema = v.variant('type', [
  v.object({ type: v.literal('ready') }),
  /** The runs whose series the panel shows from now on; it is sent the whole series of each one that is new. */
  v.object({ type: v.literal('watch'), ids: v.pipe(v.array(id), v.maxLength(mostWatched)) }),
  v.object({ type: v.literal('act'), action: v.picklist(runActions), id }),
  v.object({ type: v.literal('train') }),
  v.object({ type: v.literal('walkthrough') }),
  v.object({ type: v.literal('trust') }),
]);
export type FromPanel = v.InferOutput<typeof fromPanelSchema>;
