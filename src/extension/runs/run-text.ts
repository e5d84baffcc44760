import { fixed } from '../../shared/format.js';
import { isActive, possibleActions, type RunState } from '../../shared/panel.js';
import { badgeOf, type Badge } from '../../shared/wording.js';
import { advance, stopped } from '../status.js';
import type { Translate } from '../translate.js';

/** What lists say of a run, as functions of its state. */

/** One line beside a run's name: how it goes while it is active, what came of it after. */
export function summaryOf(run: RunState, t: Translate): string {
  if (isActive(run)) return run.responding ? advance(run, t) : t('not responding');
  const { progress, evaluation } = run;
  const { explained_variance: variance, l0 } = evaluation ?? progress.metrics;
  const quality = variance === null || l0 === null ? [] : [`EV ${fixed(variance, 3)}`, `L0 ${fixed(l0, 1)}`];
  if (progress.status === 'completed') return quality.length > 0 ? quality.join(' · ') : badgeOf('completed').text;
  return stopped(run, t);
}

/** A codicon and a theme colour. */
export interface Icon {
  id: string;
  color?: string;
}

/** The colours of the panel's badges. Not `charts.orange`, which some themes make a translucent highlight. */
const icons: Record<Badge['kind'], Icon> = {
  starting: { id: 'loading~spin', color: 'charts.blue' },
  progress: { id: 'loading~spin', color: 'charts.yellow' },
  completed: { id: 'pass', color: 'testing.iconPassed' },
  failed: { id: 'error', color: 'testing.iconFailed' },
  paused: { id: 'debug-pause', color: 'charts.purple' },
  cancelled: { id: 'circle-slash' },
  interrupted: { id: 'debug-disconnect', color: 'symbolIcon.classForeground' },
};

export function iconOf({ progress: { status } }: RunState): Icon {
  return status === 'queued' ? { id: 'watch', color: 'charts.blue' } : icons[badgeOf(status).kind];
}

/** The words by which menus decide what they offer: `paused` and each possible action. */
export function contextOf(run: RunState): string {
  const paused = run.progress.status === 'paused' ? ['paused'] : [];
  return ['run', ...paused, ...possibleActions(run)].join(' ');
}
