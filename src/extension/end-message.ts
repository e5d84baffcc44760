import { duration, fixed } from '../shared/format.js';
import type { RunState } from '../shared/panel.js';
import { withoutLinks } from './markdown.js';
import { stopped } from './status.js';
import type { Translate } from './translate.js';

/** What a notification says of a run that has ended by itself; undefined for one that was stopped. */
export function endMessage(run: RunState, t: Translate): string | undefined {
  const { progress, error, evaluation } = run;
  const name = withoutLinks(run.name);
  if (progress.status === 'failed') {
    const why = error === null ? [] : [withoutLinks(error.message), withoutLinks(error.hint)];
    return [t('“{0}” {1}.', name, stopped(run, t)), ...why].join(' ');
  }
  if (progress.status !== 'completed') return undefined;
  const { explained_variance: variance, l0 } = evaluation ?? progress.metrics;
  const time = duration(progress.elapsed_time);
  return t('“{0}” is trained: explained variance {1}, L0 {2}, in {3}.', name, fixed(variance, 3), fixed(l0, 1), time);
}
