import { stepArrays, type StepShape } from '../../../../shared/memory.js';
import { loadKernels } from '../../../kernels/kernels.js';
import { MemoryPlan } from '../../../kernels/memory.js';

/** Parameters, moments and the buffers of one step, in one WebAssembly memory with its kernels. */
export function allocate(shape: StepShape) {
  const plan = new MemoryPlan();
  const arrays = stepArrays(plan, shape);
  return { arrays, kernels: loadKernels(plan.allocate()) };
}

export type Arrays = ReturnType<typeof allocate>['arrays'];
