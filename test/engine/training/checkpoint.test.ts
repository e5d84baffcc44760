import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { emptyMetrics } from '../../../src/shared/events.js';
import { WorkbenchError } from '../../../src/shared/errors.js';
import {
  readCheckpoint,
  restoreTensors,
  writeCheckpoint,
  type Checkpoint,
} from '../../../src/engine/training/checkpoint.js';
import { temporaryFolder } from '../../workbench/small-run.js';

function checkpoint(step: number): Checkpoint {
  return {
    step,
    metrics: { ...emptyMetrics, l0: step },
    shuffle: { epoch: 1, nextBlock: 4, filling: false, random: [1, -2, 3, 4], rows: Uint32Array.of(9, 7, step) },
    tensors: { encoder: { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -0, step, 1e-40) } },
  };
}

test('a checkpoint comes back as it was written', async () => {
  const dir = temporaryFolder();
  await writeCheckpoint(dir, checkpoint(10));
  assert.deepEqual(await readCheckpoint(dir), checkpoint(10));
});

test('the newest two are kept', async () => {
  const dir = temporaryFolder();
  for (const step of [9, 10, 100]) await writeCheckpoint(dir, checkpoint(step));
  assert.deepEqual(readdirSync(path.join(dir, 'checkpoints')).sort(), ['10', '100']);
  assert.equal((await readCheckpoint(dir))?.step, 100);
});

test('what a kill left of a checkpoint in the making is gone with the next one', async () => {
  const dir = temporaryFolder();
  const part = path.join(dir, 'checkpoints', '.part');
  mkdirSync(part, { recursive: true });
  writeFileSync(path.join(part, '.state.safetensors.1.0123456789ab.tmp'), 'cut');
  await writeCheckpoint(dir, checkpoint(8));
  assert.deepEqual(readdirSync(path.join(dir, 'checkpoints')), ['8']);
  assert.deepEqual(readdirSync(path.join(dir, 'checkpoints', '8')), ['state.safetensors']);
});

test('a damaged newest checkpoint leaves the one before it', async () => {
  const dir = temporaryFolder();
  for (const step of [1, 2]) await writeCheckpoint(dir, checkpoint(step));
  writeFileSync(path.join(dir, 'checkpoints', '2', 'state.safetensors'), 'cut');
  assert.equal((await readCheckpoint(dir))?.step, 1);
  writeFileSync(path.join(dir, 'checkpoints', '1', 'state.safetensors'), 'cut');
  await assert.rejects(readCheckpoint(dir), WorkbenchError);
});

test('a folder without checkpoints has none', async () => {
  assert.equal(await readCheckpoint(temporaryFolder()), null);
});

test('tensors of another shape are refused', () => {
  const { tensors } = checkpoint(1);
  const other = { encoder: { dtype: 'F32' as const, shape: [3], data: new Float32Array(3) } };
  assert.throws(() => {
    restoreTensors(other, tensors);
  }, /another configuration/);
});
