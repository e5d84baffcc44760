import { availableParallelism } from 'node:os';
import * as vscode from 'vscode';
import type { SaeConfig } from '../../shared/config.js';
import type { EvaluateTask } from '../../shared/messages.js';
import { phaseNames } from '../../shared/wording.js';
import { withoutLinks } from '../markdown.js';
import { storedRuns } from '../runs-folders.js';
import { readSetting } from '../settings.js';
import { engineThreads } from '../train/threads.js';
import { assertTrusted } from '../trust.js';
import type { Workbench } from '../workbench-host.js';
import type { RunHandler } from './actions.js';
import { showEvaluation } from './evaluation-document.js';

/** Measures a run's SAE again, on its own held-out text or on other text, and shows the result as a document. */
export const evaluateRun: RunHandler = async (run, workbench, { context }) => {
  const source = await chooseText(run.config);
  if (source === undefined) return;
  assertTrusted({ ...run.config, ...source }, { dir: run.dir, stored: storedRuns(context) });
  const threads = engineThreads(readSetting('engine.threads'), availableParallelism());
  const task: EvaluateTask = { kind: 'evaluate', runDir: run.dir, threads, ...source };
  const outcome = await runWithProgress(vscode.l10n.t('Evaluating “{0}”', withoutLinks(run.name)), task, workbench);
  if (outcome.status === 'completed') await showEvaluation(run, outcome.result);
};

/** What to evaluate on; `text` is left out for what the run held out. Undefined if the person changed their mind. */
async function chooseText(config: SaeConfig): Promise<{ text?: string[] } | undefined> {
  // Without the model, text cannot be turned into activations.
  if (config.model === undefined) return {};
  const heldOut = {
    label: vscode.l10n.t('What was held out of training'),
    detail: vscode.l10n.t('The same measurement as at the end of the run'),
  };
  const files = {
    label: vscode.l10n.t('Text files…'),
    detail: vscode.l10n.t('.txt, .md or .jsonl files: how well the SAE does on other text'),
  };
  const folder = {
    label: vscode.l10n.t('A folder of text…'),
    detail: vscode.l10n.t('Every .txt, .md and .jsonl file in it'),
  };
  const picked = await vscode.window.showQuickPick([heldOut, files, folder], {
    title: vscode.l10n.t('Evaluate SAE'),
    placeHolder: vscode.l10n.t('On which text?'),
  });
  if (picked === undefined) return undefined;
  if (picked === heldOut) return {};
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: picked === files,
    canSelectFolders: picked === folder,
    canSelectMany: true,
    filters: picked === files ? { [vscode.l10n.t('Text')]: ['txt', 'md', 'jsonl'] } : {},
    openLabel: vscode.l10n.t('Evaluate'),
  });
  return chosen && { text: chosen.map(({ fsPath }) => fsPath) };
}

async function runWithProgress(title: string, task: EvaluateTask, { library, log }: Workbench) {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (notification, stopped) => {
    let shown = 0;
    const running = library.runTask(task, {
      log,
      progress: ({ progress, phase }) => {
        notification.report({ increment: progress - shown, message: phaseNames[phase] });
        shown = progress;
      },
    });
    const listening = stopped.onCancellationRequested(() => {
      running.cancel();
    });
    try {
      return await running.result;
    } finally {
      listening.dispose();
    }
  });
}
