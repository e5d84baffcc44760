import * as vscode from 'vscode';
import { storedRuns } from '../runs-folders.js';
import { readSetting } from '../settings.js';
import { assertTrusted } from '../trust.js';
import type { RunHandler } from './actions.js';

/** How long the status bar tells of what was done. */
const tellMs = 8000;

export const pauseRun: RunHandler = async (run, { jobs }) => {
  await jobs.pause(run.id);
};

/** Goes on with a paused run, or starts the next attempt at one that is over, from its checkpoint. */
export const resumeRun: RunHandler = async (run, { jobs }, { context, panel }) => {
  if (run.progress.status === 'paused') {
    await jobs.resume(run.id);
    return;
  }
  assertTrusted(run.config, { dir: run.dir, stored: storedRuns(context) });
  await jobs.start({}, { runDir: run.dir, resume: true });
  if (readSetting('panel.openOnTrain', vscode.Uri.file(run.dir))) await panel.show({ name: 'runs', focus: run.id });
};

/** Asks nothing: what was trained is kept. */
export const cancelRun: RunHandler = async (run, { jobs }) => {
  const end = await jobs.cancel(run.id);
  if (end.status !== 'cancelled') return;
  const sentence =
    end.checkpoint === null
      ? vscode.l10n.t('“{0}” is cancelled; it had not trained yet.', run.name)
      : vscode.l10n.t('“{0}” is cancelled; its checkpoint is kept.', run.name);
  vscode.window.setStatusBarMessage(sentence, tellMs);
};
