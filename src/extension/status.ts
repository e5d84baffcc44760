import { countdown, fixed, percent, real } from '../shared/format.js';
import { isActive, type RunState } from '../shared/panel.js';
import { badgeOf, phaseNames } from '../shared/wording.js';
import type { Translate } from './translate.js';

/** What the status bar says. */
export interface Status {
  /** A codicon's name. */
  icon: string;
  text: string;
  failed: boolean;
}

/**
 * What the status bar says of all runs: how the training goes, else the result of `recent`, the run that ended here a
 * short while ago, else only that there are runs. Nothing where there are none.
 */
export function statusOf(runs: readonly RunState[], recent: RunState | undefined, t: Translate): Status | undefined {
  const active = runs.filter(isActive);
  const [only] = active;
  if (only !== undefined) return active.length === 1 ? activeStatus(only, t) : severalStatus(active, t);
  if (recent !== undefined) return endedStatus(recent, t);
  return runs.length === 0 ? undefined : { icon: 'graph-line', text: 'SAE', failed: false };
}

/** How far a run that is not over has come: `42.0 % · loss 0.1234 · 3:20 left`. */
export function advance({ progress, owner }: RunState, t: Translate): string {
  const { status, phase, phase_progress: part, metrics, estimated_remaining: left } = progress;
  const loss = metrics.train_loss === null ? [] : [t('loss {0}', real(metrics.train_loss))];
  const done = percent(progress.progress / 100);
  const parts = {
    training: phase === 'training' ? [done, ...loss] : [done, phaseNames[phase]],
    preparing: [`${phaseNames[phase]} ${percent(part / 100)}`],
    paused: [t('paused at {0}', done), ...loss],
  }[status as string] ?? [badgeOf(status).text];
  const remaining = left === null || status === 'paused' ? [] : [t('{0} left', countdown(left))];
  return [...parts, ...remaining, ...(owner === 'elsewhere' ? [t('in another process')] : [])].join(' · ');
}

/** How a run that did not complete came to its end: `failed at 42.0 %`, or `failed` before it had trained. */
export function stopped({ progress }: RunState, t: Translate): string {
  const { text } = badgeOf(progress.status);
  return progress.progress === 0 ? text : t('{0} at {1}', text, percent(progress.progress / 100));
}

function activeStatus(run: RunState, t: Translate): Status {
  if (!run.responding) return { icon: 'warning', text: `SAE ${t('not responding')}`, failed: false };
  const icon = { paused: 'debug-pause', queued: 'watch' }[run.progress.status as string] ?? 'loading~spin';
  return { icon, text: `SAE ${advance(run, t)}`, failed: false };
}

function severalStatus(active: readonly RunState[], t: Translate): Status {
  const count = (...statuses: string[]) => active.filter(({ progress }) => statuses.includes(progress.status)).length;
  const [waiting, paused] = [count('queued'), count('paused')];
  const training = active.length - waiting - paused;
  const parts = [
    ...(training === 0 ? [] : [t('{0} training', training)]),
    ...(paused === 0 ? [] : [t('{0} paused', paused)]),
    ...(waiting === 0 ? [] : [t('{0} waiting', waiting)]),
  ];
  return { icon: training === 0 ? 'debug-pause' : 'loading~spin', text: `SAE ${parts.join(' · ')}`, failed: false };
}

function endedStatus(run: RunState, t: Translate): Status {
  const { progress, evaluation } = run;
  const { status, metrics } = progress;
  const variance = evaluation?.explained_variance ?? metrics.explained_variance;
  if (status === 'completed') {
    const quality = variance === null ? [] : [`EV ${fixed(variance, 3)}`];
    return { icon: 'check', text: `SAE ${[t('done'), ...quality].join(' · ')}`, failed: false };
  }
  const failed = status === 'failed';
  return { icon: failed ? 'warning' : 'circle-slash', text: `SAE ${stopped(run, t)}`, failed };
}
