/** The door through which the extension loads the workbench when it is first needed. */
export { absolutePaths, mergeConfig, readConfigFile, withDefaultSource, writeConfigFile } from './config-file.js';
export { runTask, type RunningTask, type TaskOutcome } from './engine-process.js';
export { JobManager, type Job, type JobEnd } from './jobs.js';
export { Logs } from './logging/logs.js';
export { RunBoard, type BoardChange } from './run-board.js';
export { deleteRun, exportSae, type ExportOptions } from './run-files.js';
export { readRun, type Run } from './runs.js';
export { ApiServer, type ApiServerOptions } from './server/api-server.js';
