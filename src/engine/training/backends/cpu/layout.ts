import { mostThreads, stepArrays, type StepShape } from '../../../../shared/memory.js';
import { MemoryPlan } from '../../../kernels/memory.js';
import { KernelPool } from '../../../kernels/pool.js';

/** Parameters, moments and the buffers of one step, in one shared memory, with the threads that work on them. */
export async function allocate(shape: StepShape, threads: number) {
  const plan = new MemoryPlan();
  const arrays = stepArrays(plan, shape);
  const memory = plan.allocate({ shared: true });
  const pool = await KernelPool.create(memory, arrays.control.address, Math.min(threads, mostThreads));
  return { arrays, pool };
}

export type Arrays = Awaited<ReturnType<typeof allocate>>['arrays'];
