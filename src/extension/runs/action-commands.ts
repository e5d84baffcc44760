import type { RunAction } from '../../shared/panel.js';
import type { CommandName } from '../command-table.js';

/** The command that does an action; it takes the run's id. */
export const actionCommands: Record<RunAction, CommandName> = {
  pause: 'pauseTraining',
  resume: 'resumeRun',
  cancel: 'cancelTraining',
  evaluate: 'evaluateSae',
  export: 'exportSae',
  openFolder: 'openRunFolder',
  showLogs: 'showLogs',
  delete: 'deleteRun',
};
