import type { EngineProgress } from '../shared/events.js';
import type { Log } from '../shared/logs.js';
import type { Control } from './control.js';

/** What every task of the engine is given. */
export interface TaskContext {
  log: Log;
  control: Control;
  /** Sends progress to the workbench. */
  report: (progress: EngineProgress) => void;
  /** Cores to use where the configuration does not say. */
  threads: number;
}
