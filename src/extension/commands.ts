import * as vscode from 'vscode';
import type { RunState } from '../shared/panel.js';
import { commandId, commands, type CommandName } from './command-table.js';
import { openLogFolder } from './log-folder.js';
import type { Parts } from './parts.js';
import { reportProblem } from './problem.js';
import { actOnRun, compareRuns } from './runs/actions.js';
import { trainFile } from './train/config-file.js';
import { trainWizard } from './train/wizard.js';

/** What a command does with what it is given: nothing by the palette, what was clicked by a menu, anything by others. */
type Handler = (parts: Parts, ...args: unknown[]) => unknown;

const walkthrough = 'interpretability-workbench.interpretability-workbench#start';

const handlers: Record<CommandName, Handler> = {
  trainSae: (parts) => trainWizard(parts),
  trainFile: (parts, file) => trainFile(parts, file instanceof vscode.Uri ? file : undefined),
  openPanel: ({ panel }, run) => panel.show(focusOn(idOf(run))),
  pauseTraining: (parts, run) => actOnRun(parts, 'pause', idOf(run)),
  resumeTraining: (parts, run) => actOnRun(parts, 'resume', idOf(run), isPaused),
  cancelTraining: (parts, run) => actOnRun(parts, 'cancel', idOf(run)),
  resumeRun: (parts, run) => actOnRun(parts, 'resume', idOf(run), (each) => !isPaused(each)),
  evaluateSae: (parts, run) => actOnRun(parts, 'evaluate', idOf(run)),
  exportSae: (parts, run) => actOnRun(parts, 'export', idOf(run)),
  compareRuns: (parts, ...selection) => compareRuns(parts, idsOf(selection)),
  showLogs: ({ channel }) => {
    channel.show();
  },
  openLogFolder,
  openRunFolder: (parts, run) => actOnRun(parts, 'openFolder', idOf(run)),
  deleteRun: (parts, run) => actOnRun(parts, 'delete', idOf(run)),
  refreshRuns: async ({ host }) => (await host.open()).board.refresh(),
  startApi: ({ api }) => api.start(),
  stopApi: ({ api }) => api.stop(),
  copyApiAddress: ({ api }) => api.copyAddress(),
  openWalkthrough: () => vscode.commands.executeCommand('workbench.action.openWalkthrough', walkthrough, false),
};

const isPaused = ({ progress }: RunState) => progress.status === 'paused';

/** Registers every command; what one throws is logged and told to the person. */
export function registerCommands(parts: Parts): vscode.Disposable {
  const names = Object.keys(commands) as CommandName[];
  const registered = names.map((name) =>
    vscode.commands.registerCommand(commandId(name), async (...args: unknown[]) => {
      try {
        return await handlers[name](parts, ...args);
      } catch (error) {
        void reportProblem(error, parts.host.log);
        return undefined;
      }
    }),
  );
  return vscode.Disposable.from(...registered);
}

/** The run a menu, a link or another extension means: its id, or something that has one. */
function idOf(given: unknown): string | undefined {
  if (typeof given === 'string') return given;
  const id = typeof given === 'object' && given !== null && 'id' in given ? given.id : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** The runs of a selection, which a tree gives as the element clicked and all that are selected. */
function idsOf(selection: readonly unknown[]): string[] {
  const ids = selection
    .flat()
    .map(idOf)
    .filter((id) => id !== undefined);
  return [...new Set(ids)];
}

const focusOn = (id: string | undefined) => (id === undefined ? undefined : ({ name: 'runs', focus: id } as const));
