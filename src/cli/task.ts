import type { Task } from '../shared/messages.js';
import { runTask, type TaskOutcome } from '../workbench/engine-process.js';
import { openLogging } from './logging.js';
import { onStop } from './stop.js';
import type { Display } from './terminal/display.js';

/**
 * Runs a task that is not a training job to its end, showing its progress. The first request to stop cancels it, the
 * next one kills it.
 * @throws WorkbenchError the task's problem.
 */
export async function runShown<T extends Task>(task: T, display: Display): Promise<TaskOutcome<T['kind']>> {
  const started = performance.now();
  const logging = openLogging(display);
  const running = runTask(task, {
    log: logging.log,
    progress: (progress) => {
      display.progress({ ...progress, elapsed_time: (performance.now() - started) / 1000 });
    },
  });
  const ended = onStop(running.cancel, running.kill);
  let completed = false;
  try {
    const outcome = await running.result;
    completed = outcome.status === 'completed';
    return outcome;
  } finally {
    ended();
    display.close(!completed);
    await logging.close();
  }
}
