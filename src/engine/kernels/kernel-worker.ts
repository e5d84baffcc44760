import { parentPort, workerData } from 'node:worker_threads';
import { instantiateShared } from './kernels.js';
import { Control, type HelperStart } from './control.js';

/** A thread of the pool: takes part in every call until the pool is closed, or until it fails and says why. */
const { module, memory, control: address, thread } = workerData as HelperStart;
const kernels = instantiateShared(module, memory);
const control = new Control(memory, address);
parentPort!.postMessage('ready');
for (let call: number | null = 0; (call = control.next(call)) !== null;) {
  try {
    kernels.take(address, thread);
  } catch (error) {
    control.fail(error);
    break;
  } finally {
    control.leave();
  }
}
