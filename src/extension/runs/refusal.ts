import { inputError, type WorkbenchError } from '../../shared/errors.js';
import { possibleActions, type RunAction, type RunState } from '../../shared/panel.js';
import { badgeOf } from '../../shared/wording.js';
import type { Translate } from '../translate.js';

/** `paused`, of a run to which that was done. */
function done(action: RunAction, t: Translate): string {
  const words: Record<RunAction, string> = {
    pause: t('paused'),
    resume: t('resumed'),
    cancel: t('cancelled'),
    evaluate: t('evaluated'),
    export: t('exported'),
    openFolder: t('opened'),
    showLogs: t('shown'),
    delete: t('deleted'),
  };
  return words[action];
}

/** Why an action cannot be done to a run now; undefined if it can. */
export function refusal(run: RunState, action: RunAction, t: Translate): WorkbenchError | undefined {
  if (possibleActions(run).includes(action)) return undefined;
  if (run.owner === 'elsewhere') {
    const sentence = t(
      '“{0}” is trained by another window or program and cannot be {1} here.',
      run.name,
      done(action, t),
    );
    return inputError('run_in_use', sentence, t('Go to the window or terminal that trains it.'));
  }
  const { text } = badgeOf(run.progress.status);
  const sentence = t('“{0}” is {1} and cannot be {2}.', run.name, text, done(action, t));
  return inputError('wrong_state', sentence, t('Look at its card in the panel for what can be done.'));
}

/** That there is no run an action makes sense for. */
export function nothingToDo(action: RunAction, t: Translate): WorkbenchError {
  const sentence = t('There is no run that can be {0} now.', done(action, t));
  return inputError('wrong_state', sentence, t('Start a training, or look at the runs in the panel.'));
}
