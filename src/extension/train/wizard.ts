import type { Parts } from '../parts.js';
import type { Answers } from './answers.js';
import { runSteps } from './multi-step.js';
import { remembered } from './remembered.js';
import { architectureStep } from './steps/architecture-step.js';
import type { Asking } from './steps/asking.js';
import { hookStep } from './steps/hook-step.js';
import { latentsStep } from './steps/latents-step.js';
import { layerStep } from './steps/layer-step.js';
import { modelStep } from './steps/model-step.js';
import { reviewStep } from './steps/review-step.js';
import { sourceStep } from './steps/source-step.js';
import { sparsityStep } from './steps/sparsity-step.js';

/** The multi-step quick pick of "Train SAE": Enter takes what was said last time, or else what trains the demo. */
export async function trainWizard(parts: Parts): Promise<void> {
  const asking: Asking = { workbench: await parts.host.open(), last: await remembered(parts.context) };
  await runSteps<Answers>(
    [
      modelStep(asking),
      hookStep(asking),
      sourceStep(asking),
      layerStep(),
      architectureStep(asking),
      latentsStep(asking),
      sparsityStep(asking),
      reviewStep(parts, asking),
    ],
    {},
  );
}
