import { parentPort, workerData } from 'node:worker_threads';
import { instantiateShared } from './kernels.js';
import { Control, type HelperStart } from './control.js';

/** A thread of the pool: takes part in every call until the pool is closed, or until it fails and says why. */
const { module, memory, control, thread } = workerData as HelperStart;
const kernels = instantiateShared(module, memory);
parentPort!.postMessage('ready');
try {
  kernels.help(control, thread);
} catch (error) {
  new Control(memory, control).fail(error);
  kernels.leave(control);
}
