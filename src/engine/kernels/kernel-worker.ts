import { parentPort, workerData } from 'node:worker_threads';
import { instantiate } from './kernels.js';
import { KernelCalls, type WorkerStart } from './calls.js';

/** A thread of the pool: sleeps until there is a call, and takes part in it. */
const { module, memory, control, thread } = workerData as WorkerStart;
const calls = new KernelCalls(control, instantiate(module, memory), thread);
parentPort!.postMessage('ready');
for (let call = 0; (call = calls.next(call)) >= 0;) calls.work();
