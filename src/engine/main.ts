import { availableParallelism } from 'node:os';
import type { EngineMessage, HostMessage, Task, TaskResults } from '../shared/messages.js';
import { toProblem } from '../shared/errors.js';
import type { TaskContext } from './context.js';
import { Cancelled, Control } from './control.js';
import { runEstimate } from './tasks/estimate.js';
import { runEvaluate } from './tasks/evaluate.js';
import { runExtract } from './tasks/extract.js';
import { runHooks } from './tasks/hooks.js';
import { runTrain, Stopped } from './tasks/train.js';

/** The engine: a child process that runs one task, reports over IPC and exits. */

const heartbeatInterval = 1000;

function send(message: EngineMessage): void {
  // A channel that is gone means the parent is: the task is being stopped, and there is nobody left to tell.
  if (process.connected) process.send!(message, undefined, {}, () => undefined);
}

const control = new Control();
control.onPause((paused) => {
  send({ type: paused ? 'paused' : 'resumed' });
});

const context: TaskContext = {
  control,
  threads: availableParallelism(),
  report: (progress) => {
    send({ type: 'progress', progress });
  },
  log: (component, level, message, stack) => {
    send({ type: 'log', time: Date.now(), component, level, message, ...(stack === undefined ? {} : { stack }) });
  },
};

function run(task: Task): Promise<TaskResults[Task['kind']]> {
  switch (task.kind) {
    case 'train':
      return runTrain(task, context);
    case 'extract':
      return runExtract(task, context);
    case 'evaluate':
      return runEvaluate(task, context);
    case 'hooks':
      return runHooks(task, context);
    case 'estimate':
      return runEstimate(task, context);
  }
}

async function main(task: Task): Promise<void> {
  const heartbeat = setInterval(() => {
    send({ type: 'heartbeat' });
  }, heartbeatInterval);
  try {
    send({ type: 'done', result: await run(task) });
  } catch (error) {
    if (error instanceof Cancelled) {
      send({ type: 'cancelled', checkpoint: error instanceof Stopped ? error.checkpoint : null });
    } else {
      const problem = toProblem(error);
      const stack = problem.code === 'internal' && error instanceof Error ? error.stack : undefined;
      // Whoever started the task tells the problem; only what nobody expected needs more than its sentence.
      context.log('engine', stack === undefined ? 'DEBUG' : 'ERROR', problem.message, stack);
      send({ type: 'failed', problem });
    }
  } finally {
    clearInterval(heartbeat);
  }
  // disconnecting lets the messages above drain; the process then ends by itself once nothing is left to do
  if (process.connected) process.disconnect();
}

// A terminal sends Ctrl-C to parent and child alike: the parent decides and tells us over IPC.
process.on('SIGINT', () => undefined);
// A machine that shuts down, a terminal that is closed, a parent that is gone: keep what there is.
for (const event of ['SIGTERM', 'SIGHUP', 'disconnect']) {
  process.on(event, () => {
    control.cancel();
  });
}
process.on('message', (message: HostMessage) => {
  switch (message.type) {
    case 'run':
      void main(message.task);
      break;
    case 'pause':
      control.pause();
      break;
    case 'resume':
      control.resume();
      break;
    case 'cancel':
      control.cancel();
      break;
  }
});
