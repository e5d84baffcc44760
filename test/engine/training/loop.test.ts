import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShuffleBuffer } from '../../../src/engine/activations/shuffle-buffer.js';
import type { ActivationSource } from '../../../src/engine/activations/source.js';
import { Cancelled, Control } from '../../../src/engine/control.js';
import type { TrainingBackend } from '../../../src/engine/training/backend.js';
import { train } from '../../../src/engine/training/loop.js';
import { resolveConfig } from '../../../src/shared/config.js';
import { toProblem } from '../../../src/shared/errors.js';

const source: ActivationSource = {
  width: 1,
  rowsPerEpoch: 10,
  blocksPerEpoch: 5,
  maxBlockRows: 2,
  blockRows: () => 2,
  readBlock: (_, block) => Promise.resolve(Float32Array.of(2 * block, 2 * block + 1)),
};

/** Two epochs of five steps on rows 0 … 9; says what was trained on and when checkpoints were written. */
function rehearsal(checkpointSeconds: number, loss: (step: number) => number = () => 0) {
  const config = resolveConfig({ batch_size: 2, max_epochs: 2, checkpoint_seconds: checkpointSeconds }, 1, 10);
  const buffer = new ShuffleBuffer(source, { capacity: 4, batchSize: 2, seed: 1 });
  const control = new Control();
  const batches: string[] = [];
  const saves: number[] = [];
  /** Steps after which the firing counts began anew. */
  const counts: number[] = [];
  const input = new Float32Array(2);
  const backend = {
    input,
    weights: { width: 1 },
    constants: { scale: 1, variance: 1 },
    startEpoch: () => counts.push(batches.length),
    step: async (_rate: number, _sparsity: number, between: () => Promise<void>) => {
      await between();
      batches.push(input.join());
      return { reconstructionLoss: loss(batches.length), sparsityLoss: 0, auxLoss: 0, l0: 0, gradientNorm: 0, dead: 0 };
    },
  } as unknown as TrainingBackend;
  const run = (firstStep: number, onStep: (step: number) => void, totalSteps = 10) =>
    train({
      config,
      backend,
      buffer,
      control,
      firstStep,
      totalSteps,
      stepsPerEpoch: 5,
      onStep: (step) => {
        onStep(step);
        return Promise.resolve();
      },
      save: (step) => {
        saves.push(step);
        return Promise.resolve();
      },
    });
  return { run, control, batches, saves, counts };
}

test('every row is trained on once an epoch, and the run ends with a checkpoint', async () => {
  const { run, batches, saves } = rehearsal(1e9);
  await run(0, () => undefined);
  const rows = (from: number) =>
    batches
      .slice(from, from + 5)
      .flatMap((batch) => batch.split(',').map(Number))
      .sort((a, b) => a - b);
  assert.deepEqual(rows(0), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(rows(5), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(saves, [10]);
});

test('a training that diverges ends with what to do, and leaves no checkpoint of it', async () => {
  const { run, batches, saves } = rehearsal(0, (step) => (step < 4 ? 1 : NaN));
  await assert.rejects(
    run(0, () => undefined),
    (error: unknown) => {
      const { code, message, hint } = toProblem(error);
      return code === 'diverged' && message.includes('at step 4: ') && hint.includes('learning_rate');
    },
  );
  assert.equal(batches.length, 4);
  assert.deepEqual(saves, [1, 2, 3]);
});

test('no state is written twice: neither at the last step nor at a stop right after a checkpoint', async () => {
  const whole = rehearsal(0);
  await whole.run(0, () => undefined);
  assert.deepEqual(whole.saves, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const stopped = rehearsal(0);
  const stop = stopped.run(0, (step) => {
    if (step === 3) stopped.control.cancel();
  });
  await assert.rejects(stop, Cancelled);
  assert.deepEqual(stopped.saves, [1, 2, 3]);
});

test('a stop between checkpoints writes one', async () => {
  const { run, control, saves } = rehearsal(1e9);
  const stop = run(0, (step) => {
    if (step === 3) control.cancel();
  });
  await assert.rejects(stop, Cancelled);
  assert.deepEqual(saves, [3]);
});

test('firing is counted anew in every whole epoch, and a last part of one adds to the epoch before it', async () => {
  const whole = rehearsal(1e9);
  await whole.run(0, () => undefined);
  assert.deepEqual(whole.counts, [5]);
  const cut = rehearsal(1e9);
  await cut.run(0, () => undefined, 7);
  assert.deepEqual(cut.counts, []);
});
