import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from '../../../src/engine/progress.js';
import type { TrainingData } from '../../../src/engine/training/data.js';
import { finishEstimate } from '../../../src/engine/training/estimate.js';
import { resolveConfig } from '../../../src/shared/config.js';

test('what follows training is estimated from tokens counted once, and the time left is 0 in no phase', () => {
  let counted = 0;
  const data = {
    config: resolveConfig({ latent_dim: 64 }, 8, 1000),
    source: { width: 8 },
    trainGroups: Uint32Array.of(0, 1),
    heldOutGroups: Uint32Array.of(2),
    rowCount: () => (counted++, 500),
    language: null,
  } as unknown as TrainingData;
  let now = 0;
  const left: (number | null)[] = [];
  const progress = new Progress(
    (event) => left.push(event.estimated_remaining),
    () => now,
  );
  const estimate = finishEstimate(progress, data);
  const countedAtFirst = counted;
  progress.begin('training', 'training', 10);
  for (let step = 1; step <= 10; step++) {
    now += 3000;
    estimate(1e-3);
    progress.advance(step);
  }
  for (const phase of ['evaluating', 'features', 'saving'] as const) {
    progress.begin('training', phase);
    now += 3000;
    if (phase !== 'saving') progress.advance(1);
  }
  assert.equal(counted, countedAtFirst);
  assert.equal(left[0], null);
  assert.ok(
    left.slice(1).every((seconds) => seconds !== null && seconds > 0),
    String(left),
  );
});
