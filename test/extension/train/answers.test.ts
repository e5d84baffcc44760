import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as v from 'valibot';
import { parseConfig, resolveConfig } from '../../../src/shared/config.js';
import { answersSchema, change, pathsOf, toConfig, type Answers } from '../../../src/extension/train/answers.js';

const demo: Answers = {
  model: 'bundled:demo-gpt2',
  hook: { name: 'blocks.2.hook_resid_post', layer: 2, width: 256 },
  source: { kind: 'text', names: ['bundled:sample'] },
  architecture: 'topk',
  latents: 4096,
  k: 32,
};

test('what Enter answers trains with the settings of the example', () => {
  const file = path.join(__dirname, '..', '..', '..', 'examples', 'demo.sae.json');
  const example = parseConfig(JSON.parse(readFileSync(file, 'utf8')), file);
  // Training tokens of the sample: 814,946 activations without the 81,638 held out.
  const rows = 733_308;
  const { name, ...settings } = resolveConfig(example, 256, rows);
  assert.ok(name);
  assert.deepEqual(resolveConfig(toConfig(demo), 256, rows), settings);
});

test('a hook point that is no layer’s output is named, recorded activations need none', () => {
  const hook = { name: 'blocks.1.mlp.hook_post', layer: 1, width: 1024 };
  assert.equal(toConfig({ ...demo, hook }).hook_name, 'blocks.1.mlp.hook_post');
  const source = { kind: 'activations', file: '/a.parquet', layer: 3 } as const;
  assert.deepEqual(toConfig({ model: null, source, architecture: 'standard', latents: null, k: 8, coefficient: 4 }), {
    activation_data_path: '/a.parquet',
    layer_idx: 3,
    architecture: 'standard',
    sparsity_coef: 4,
  });
});

test('a hook point says the layer of recorded activations', () => {
  const source = { kind: 'activations', file: '/a.parquet', layer: 3 } as const;
  assert.equal(toConfig({ ...demo, source }).layer_idx, 2);
});

test('another model leaves its hook point and the width’s latents open, the same one does not', () => {
  assert.deepEqual(change(demo, { model: 'bundled:demo-gpt2' }), demo);
  const { hook, latents, ...rest } = demo;
  assert.ok(hook && latents);
  assert.deepEqual(change(demo, { model: '/m' }), { ...rest, model: '/m' });
});

test('without a model there is no text to read', () => {
  assert.equal(change(demo, { model: null }).source, undefined);
  const recorded: Answers = { ...demo, source: { kind: 'activations', file: '/a.parquet' } };
  assert.deepEqual(change(recorded, { model: null }).source, recorded.source);
});

test('another width leaves the latents open, and fewer latents than k leave k open', () => {
  const wider = { name: 'blocks.2.mlp.hook_post', layer: 2, width: 1024 };
  assert.equal(change(demo, { hook: wider }).latents, undefined);
  assert.equal(change(demo, { hook: { ...wider, width: 256 } }).latents, 4096);
  assert.equal(change(demo, { latents: 16 }).k, undefined);
  assert.equal(change(demo, { latents: 32 }).k, 32);
});

test('answers survive being remembered', () => {
  assert.deepEqual(v.parse(answersSchema, JSON.parse(JSON.stringify(demo))), demo);
});

test('paths are what answers name, not what ships', () => {
  assert.deepEqual(pathsOf(demo), []);
  assert.deepEqual(pathsOf({ model: '/m', source: { kind: 'text', names: ['bundled:sample', '/t'] } }), ['/m', '/t']);
  assert.deepEqual(pathsOf({ model: null, source: { kind: 'activations', file: '/a' } }), ['/a']);
});
