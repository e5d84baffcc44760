import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runName } from '../../src/shared/wording.js';

test('a run is called by its name, else by what is trained on what', () => {
  const names = [
    { name: 'Mine', layer_idx: 2, model: 'bundled:demo-gpt2' },
    { layer_idx: 2, model: 'bundled:demo-gpt2' },
    { hook_name: 'blocks.11.hook_resid_post', model: '/models/gpt2-small/' },
    { hook_name: 'blocks.3.hook_mlp_out', model: 'C:\\models\\gpt2\\onnx\\model.onnx' },
    { activation_data_path: '/data/layer 6.parquet' },
    { layer_idx: 6, activation_data_path: '/data/acts.parquet' },
    {},
    { name: 'two\nlines' },
  ].map(runName);
  assert.deepEqual(names, [
    'Mine',
    'layer 2 of demo-gpt2',
    'layer 11 of gpt2-small',
    'blocks.3.hook_mlp_out of gpt2',
    'SAE of layer 6.parquet',
    'layer 6 of acts.parquet',
    'SAE',
    'two↵lines',
  ]);
});
