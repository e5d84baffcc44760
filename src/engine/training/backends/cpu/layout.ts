import { stepArrays, type StepShape } from '../../../../shared/memory.js';
import { MemoryPlan } from '../../../kernels/memory.js';
import { KernelPool } from '../../../kernels/pool.js';

/**
 * Threads that share the kernels. One: a second one has failed once in a run in VS Code, for a reason that is not known; the
 * products in ONNX Runtime use all threads.
 */
const kernelThreads = 1;

/** Parameters, moments and the buffers of one step, in one shared memory, with the threads that work on them. */
export async function allocate(shape: StepShape) {
  const plan = new MemoryPlan();
  const arrays = stepArrays(plan, shape);
  const pool = await KernelPool.create(plan.allocate({ shared: true }), kernelThreads);
  return { arrays, pool };
}

export type Arrays = Awaited<ReturnType<typeof allocate>>['arrays'];
