/**
 * The commands: package.json's `contributes.commands` and its menus are made from this table, and a command without a
 * handler does not compile.
 */

export interface Command {
  title: string;
  /** When it can be used at all. */
  enablement?: string;
  /** A codicon, where it is shown as a button. */
  icon?: string;
}

/** Context keys that say what there are runs for. */
export const runContextKeys = ['active', 'running', 'paused', 'resumable', 'completed', 'deletable', 'runs'] as const;
export type RunContextKey = (typeof runContextKeys)[number];
/** Context keys that the extension keeps up to date; each one is prefixed `interpretabilityWorkbench.`. */
export type ContextKey = RunContextKey | 'serving';

const when = (key: ContextKey) => `interpretabilityWorkbench.${key}`;

export const commands = {
  trainSae: { title: 'Train SAE', icon: 'play' },
  trainFile: {
    title: 'Train SAE from This File',
    icon: 'play',
    enablement: 'resourceFilename =~ /\\.sae\\.json$/',
  },
  openPanel: { title: 'Open Panel', icon: 'graph-line' },
  pauseTraining: { title: 'Pause Training', icon: 'debug-pause', enablement: when('running') },
  resumeTraining: { title: 'Resume Training', icon: 'debug-continue', enablement: when('paused') },
  cancelTraining: { title: 'Cancel Training', icon: 'debug-stop', enablement: when('active') },
  resumeRun: { title: 'Resume Interrupted Run', icon: 'debug-restart', enablement: when('resumable') },
  evaluateSae: { title: 'Evaluate SAE', icon: 'beaker', enablement: when('completed') },
  exportSae: { title: 'Export SAE', icon: 'export', enablement: when('completed') },
  compareRuns: { title: 'Compare Runs', icon: 'git-compare', enablement: when('runs') },
  showLogs: { title: 'Show Logs', icon: 'output' },
  openLogFolder: { title: 'Open Log Folder' },
  openRunFolder: { title: 'Open Run Folder', icon: 'folder-opened', enablement: when('runs') },
  deleteRun: { title: 'Delete Run', icon: 'trash', enablement: when('deletable') },
  refreshRuns: { title: 'Refresh Runs', icon: 'refresh' },
  startApi: { title: 'Start Local API', enablement: `!${when('serving')}` },
  stopApi: { title: 'Stop Local API', enablement: when('serving') },
  copyApiAddress: { title: 'Copy API Address' },
  openWalkthrough: { title: 'Open Walkthrough' },
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof commands;
export const commandCategory = 'Interpretability Workbench';
export const commandId = (name: CommandName): string => `interpretabilityWorkbench.${name}`;
