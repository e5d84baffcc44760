import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byLayer, usualHook } from '../../../src/extension/train/hooks.js';
import type { HookDescription } from '../../../src/shared/messages.js';
import { runTask } from '../../../src/workbench/engine-process.js';
import { enginePath } from '../../workbench/small-run.js';

const model = (layers: number): HookDescription[] =>
  Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) =>
    ['hook_resid_pre', 'hook_resid_post'].map((name) => {
      return { name: `blocks.${layer}.${name}`, tensor: `${layer}.${name}`, layer, width: 8 };
    }),
  );

test('of the demo, the engine’s list has the example’s hook point under Enter', async () => {
  const outcome = await runTask({ kind: 'hooks', model: 'bundled:demo-gpt2' }, {}, { enginePath }).result;
  assert.ok(outcome.status === 'completed');
  const usual = usualHook(outcome.result.hooks);
  assert.equal(usual?.name, 'blocks.2.hook_resid_post');
  assert.equal(usual.width, 256);
});

test('the usual hook point is a residual stream past the middle', () => {
  assert.equal(usualHook(model(1))?.name, 'blocks.0.hook_resid_post');
  assert.equal(usualHook(model(2))?.name, 'blocks.1.hook_resid_post');
  assert.equal(usualHook(model(12))?.name, 'blocks.7.hook_resid_post');
});

test('a model without a residual stream after the layer offers its first place', () => {
  const [first, ...rest] = model(3).filter(({ name }) => name.endsWith('pre'));
  assert.equal(usualHook([first!, ...rest]), first);
  assert.equal(usualHook([]), undefined);
});

test('hook points are grouped by layer in the order of the model', () => {
  const embedding = { name: 'hook_embed', tensor: 'e', layer: null, width: 8 };
  const groups = byLayer([embedding, ...model(2)]);
  assert.deepEqual([...groups.keys()], [null, 0, 1]);
  assert.deepEqual(groups.get(1)?.length, 2);
});
