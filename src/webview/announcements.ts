import { fixed } from '../shared/format.js';
import { badgeOf } from '../shared/wording.js';
import { isActive } from '../shared/panel.js';
import type { RunChange } from './store.js';

/**
 * What a screen reader should say of a change of a run: a new status and each tenth of the way, nothing of the updates
 * between. Undefined where nothing should be said.
 */
export function announcement({ before, now }: RunChange): string | undefined {
  const { status, progress, metrics } = now.progress;
  if (before === undefined) return isActive(now) ? `${now.name}: ${badgeOf(status).text}` : undefined;
  if (before.responding && !now.responding && isActive(now)) return `${now.name}: not responding`;
  const text = badgeOf(status).text;
  if (text !== badgeOf(before.progress.status).text) {
    if (status === 'failed') return `${now.name}: failed. ${now.error?.message ?? now.progress.error ?? ''}`.trim();
    const quality = now.evaluation?.explained_variance ?? metrics.explained_variance;
    const result = status === 'completed' && quality !== null ? `, explained variance ${fixed(quality, 3)}` : '';
    return `${now.name}: ${text}${result}`;
  }
  const tenth = Math.floor(progress / 10);
  const further = isActive(now) && tenth > Math.floor(before.progress.progress / 10);
  return further ? `${now.name}: ${10 * tenth} %` : undefined;
}
