import { availableParallelism } from 'node:os';
import * as vscode from 'vscode';
import type { SaeConfig } from '../../shared/config.js';
import { settingsSection, type SettingName } from '../../shared/settings.js';
import type { Parts } from '../parts.js';
import { readSetting } from '../settings.js';
import { assertTrusted } from '../trust.js';
import { engineThreads } from './threads.js';

/**
 * Starts a training by the editor's settings, in a workspace that is not trusted only of what ships. Shows the panel.
 * `file`: the `*.sae.json` it is from, whose folder decides the runs folder. Returns the job's id; undefined if the person
 * was asked where its run should go and did not say.
 * @throws WorkbenchError what `JobManager.start` throws, or `not_trusted` for what an untrusted workspace may not train.
 */
export async function startTraining(
  { host, panel }: Parts,
  config: SaeConfig,
  file?: vscode.Uri,
): Promise<string | undefined> {
  assertTrusted(config);
  const place: { runsFolder?: string } = {};
  if (config.output_dir === undefined) {
    const runsFolder = await host.runsFolder(file);
    if (runsFolder === undefined) return undefined;
    place.runsFolder = runsFolder;
  }
  const { jobs } = await host.open();
  const threads = config.threads ?? engineThreads(readSetting('engine.threads', file), availableParallelism());
  const job = await jobs.start({ ...config, threads }, place);
  if (job.state === 'waiting') void tellItWaits();
  if (readSetting('panel.openOnTrain', file)) await panel.show({ name: 'runs', focus: job.id });
  return job.id;
}

async function tellItWaits(): Promise<void> {
  const setting: SettingName = 'jobs.concurrency';
  const open = vscode.l10n.t('Open Settings');
  const sentence = vscode.l10n.t('The new run is in the queue: it starts when a run before it has ended.');
  if ((await vscode.window.showInformationMessage(sentence, open)) !== open) return;
  await vscode.commands.executeCommand('workbench.action.openSettings', `${settingsSection}.${setting}`);
}
