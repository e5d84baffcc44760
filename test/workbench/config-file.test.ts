import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { WorkbenchError } from '../../src/shared/errors.js';
import { mergeConfig, readConfigFile, withDefaultSource, writeConfigFile } from '../../src/workbench/config-file.js';

const folder = mkdtempSync(path.join(tmpdir(), 'iw-config-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(text: string): string {
  const name = path.join(folder, 'a.sae.json');
  writeFileSync(name, text);
  return name;
}

const rejects = (name: string, message: RegExp) =>
  assert.rejects(readConfigFile(name), ({ problem }: WorkbenchError) => {
    assert.equal(problem.code, 'config_invalid');
    assert.equal(problem.input, true);
    assert.match(problem.message, message);
    return true;
  });

test('relative paths count from the file, bundled names and absolute paths stay', async () => {
  const elsewhere = path.resolve(folder, '..', 'elsewhere');
  const text = ['a.txt', 'bundled:sample', elsewhere];
  const config = await readConfigFile(file(JSON.stringify({ model: './m', text, output_dir: '../out' })));
  assert.deepEqual(config, {
    model: path.join(folder, 'm'),
    text: [path.join(folder, 'a.txt'), 'bundled:sample', elsewhere],
    output_dir: path.resolve(folder, '..', 'out'),
  });
});

test('a file that is missing, not JSON or not an object is one sentence, with the line', async () => {
  await rejects(path.join(folder, 'none.sae.json'), /no configuration file/);
  await rejects(folder, /cannot be read/);
  await rejects(file('{\n  "k": 3,\n  "seed" 4\n}'), /not valid JSON \(line 3\)/);
  await rejects(file('{\n  "k": 3,\n'), /not valid JSON \(line 2\)/);
  await rejects(file(''), /not valid JSON/);
  await rejects(file('[1]'), /does not hold a JSON object/);
});

test('a byte order mark is no mistake', async () => {
  assert.deepEqual(await readConfigFile(file('\uFEFF{"k": 3}')), { k: 3 });
});

test('flags override a file, and one of two alternatives replaces the other', () => {
  assert.deepEqual(mergeConfig({ k: 3, seed: 1 }, { k: 4, name: undefined }), { k: 4, seed: 1 });
  assert.deepEqual(mergeConfig({ hook_name: 'x' }, { layer_idx: 2 }), { layer_idx: 2 });
  assert.deepEqual(mergeConfig({ layer_idx: 2 }, { hook_name: 'x' }), { hook_name: 'x' });
  assert.deepEqual(mergeConfig({ text: ['a'], model: 'm' }, { activation_data_path: 'p' }), {
    model: 'm',
    activation_data_path: 'p',
  });
});

test('what does not go together only when merged is refused', () => {
  assert.throws(() => mergeConfig({ latent_dim: 8 }, { k: 9 }), /k is 9, more than latent_dim/);
});

test('a written file reads as it was, and its paths count from its folder', async () => {
  const config = {
    model: path.join(folder, 'models', 'm'),
    text: ['bundled:sample', path.join(folder, 'texts', 'a.txt'), folder, path.resolve(folder, '..', 'b.txt')],
    layer_idx: 2,
  };
  mkdirSync(path.join(folder, 'texts'), { recursive: true });
  const name = path.join(folder, 'texts', 'written.sae.json');
  await writeConfigFile(name, config);
  assert.deepEqual(await readConfigFile(name), config);
  assert.deepEqual(JSON.parse(readFileSync(name, 'utf8')), {
    model: '../models/m',
    text: ['bundled:sample', 'a.txt', '..', '../../b.txt'],
    layer_idx: 2,
  });
});

test('what a hint says about a missing layer is up to who reads the file', () => {
  assert.throws(
    () => withDefaultSource({ model: '/m' }, 'Add "layer_idx".'),
    ({ problem }: WorkbenchError) => problem.hint === 'Add "layer_idx".' && problem.field === 'layer_idx',
  );
});
