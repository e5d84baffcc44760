import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Random } from '../../../src/engine/random.js';
import { mostTexts } from '../../../src/shared/api.js';
import { configKeys, resolveConfig } from '../../../src/shared/config.js';
import type { WorkbenchError } from '../../../src/shared/errors.js';
import { readTrainRequest, type RequestRules } from '../../../src/workbench/server/train-request.js';
import { temporaryFolder } from '../small-run.js';
import { openApi, schemaChecks } from './api-client.js';

const root = realpathSync(mkdtempSync(path.join(temporaryFolder(), 'root-')));
mkdirSync(path.join(root, 'model'));
for (const file of ['model/model.onnx', 'a.txt', 'b.txt', 'a.parquet']) writeFileSync(path.join(root, file), 'x');
const rules: RequestRules = { root, folders: [], runsFolder: path.join(root, 'runs'), defaults: {} };
const read = (body: unknown, more: Partial<RequestRules> = {}) => readTrainRequest(body, { ...rules, ...more });
const inRoot = (name: string) => path.join(root, name);

/** `code field`, and that there is a sentence and a hint. */
async function refused(body: unknown): Promise<string> {
  try {
    await read(body);
    return 'accepted';
  } catch (error) {
    const { problem } = error as WorkbenchError;
    assert.match(problem.message, /\.$/);
    assert.ok(problem.input && problem.hint.length > 0);
    return [problem.code, problem.field].join(' ').trim();
  }
}

test('a layer alone means the bundled model and text', async () => {
  assert.deepEqual(await read({ layer_idx: 3 }), {
    model: 'bundled:demo-gpt2',
    text: ['bundled:sample'],
    layer_idx: 3,
  });
  const hook_name = 'blocks.1.hook_mlp_out';
  assert.deepEqual(await read({ hook_name }), { model: 'bundled:demo-gpt2', text: ['bundled:sample'], hook_name });
  assert.deepEqual(await read({ config: { layer_idx: 0 } }), await read({ layer_idx: 0 }));
});

test('without a model and text those of the workspace are used, wherever they lie', async () => {
  const defaults = { model: 'model', text: ['/elsewhere/a.txt', 'bundled:sample'] };
  const text = [path.resolve('/elsewhere/a.txt'), 'bundled:sample'];
  assert.deepEqual(await read({ layer_idx: 1 }, { defaults }), { model: inRoot('model'), text, layer_idx: 1 });
  const own = await read({ layer_idx: 1, text: ['a.txt'] }, { defaults });
  assert.deepEqual(own, { model: inRoot('model'), text: [inRoot('a.txt')], layer_idx: 1 });
  // Activations come without either.
  const recorded = { activation_data_path: inRoot('a.parquet') };
  assert.deepEqual(await read({ activation_data_path: 'a.parquet' }, { defaults }), recorded);
  assert.deepEqual(await read({ activation_data_path: 'a.parquet', layer_idx: 6 }), { ...recorded, layer_idx: 6 });
});

test('a run takes the threads of the workspace unless it names its own', async () => {
  const defaults = { threads: 3 };
  assert.equal((await read({ layer_idx: 1 }, { defaults })).threads, 3);
  assert.equal((await read({ activation_data_path: 'a.parquet' }, { defaults })).threads, 3);
  assert.equal((await read({ layer_idx: 1, config: { threads: 2 } }, { defaults })).threads, 2);
});

test('the short form overrides the config, and what excludes its values', async () => {
  const config = { layer_idx: 1, text: ['a.txt'], latent_dim: 64, k: 8, seed: 5, name: 'mine' };
  const merged = await read({ hook_name: 'blocks.2.hook_resid_mid', latent_dim: 128, text: 'b.txt', config });
  assert.deepEqual(merged, {
    model: 'bundled:demo-gpt2',
    hook_name: 'blocks.2.hook_resid_mid',
    text: [inRoot('b.txt')],
    latent_dim: 128,
    k: 8,
    seed: 5,
    name: 'mine',
  });
  const recorded = await read({ activation_data_path: 'a.parquet', config });
  assert.equal(recorded.text, undefined);
  assert.equal(recorded.activation_data_path, inRoot('a.parquet'));
  assert.equal(await refused({ k: 65, config: { layer_idx: 1, latent_dim: 64 } }), 'config_invalid k');
});

test('a request without a layer, with unknown keys or values out of range is refused by its field', async () => {
  const cases: [unknown, string][] = [
    [{}, 'config_invalid layer_idx'],
    [{ model: 'model', text: ['a.txt'] }, 'config_invalid layer_idx'],
    [{ config: {} }, 'config_invalid layer_idx'],
    [{ layer: 1 }, 'config_invalid layer'],
    [{ layer_idx: 1, seed: 1 }, 'config_invalid seed'],
    [{ layer_idx: 1, config: { latent: 1 } }, 'config_invalid latent'],
    [{ layer_idx: 1, config: [] }, 'config_invalid'],
    [{ layer_idx: 1, config: null }, 'config_invalid'],
    [{ layer_idx: -1 }, 'config_invalid layer_idx'],
    [{ layer_idx: 1.5 }, 'config_invalid layer_idx'],
    [{ layer_idx: '1' }, 'config_invalid layer_idx'],
    [{ layer_idx: null }, 'config_invalid layer_idx'],
    [{ layer_idx: 1, hook_name: 'x' }, 'config_invalid hook_name'],
    [{ layer_idx: 1, latent_dim: Infinity }, 'config_invalid latent_dim'],
    [{ layer_idx: 1, learning_rate: 11 }, 'config_invalid learning_rate'],
    [{ layer_idx: 1, max_epochs: 0 }, 'config_invalid max_epochs'],
    [{ layer_idx: 1, architecture: 'vanilla' }, 'config_invalid architecture'],
    [{ layer_idx: 1, tied_init: 1 }, 'config_invalid tied_init'],
    [{ layer_idx: 1, text: [] }, 'config_invalid text'],
    [{ layer_idx: 1, text: [''] }, 'config_invalid text'],
    [{ layer_idx: 1, text: Array(mostTexts + 1).fill('a.txt') }, 'config_invalid text'],
    [{ layer_idx: 1, model: 'model', text: ['a.txt'], activation_data_path: 'a.parquet' }, 'config_invalid text'],
    [JSON.parse('{"__proto__": {"layer_idx": 1}}'), 'config_invalid __proto__'],
    [{ layer_idx: 1, model: '../..' }, 'path_not_allowed model'],
    [{ layer_idx: 1, config: { text: ['a.txt', '/etc/passwd'] } }, 'path_not_allowed text'],
    [{ layer_idx: 1, config: { output_dir: '/tmp/x' } }, 'path_not_allowed output_dir'],
    [{ layer_idx: 1, model: 'none' }, 'model_not_found model'],
  ];
  for (const [body, expected] of cases) assert.equal(await refused(body), expected, JSON.stringify(body));
  assert.equal(await refused({ layer_idx: 1, text: Array(mostTexts).fill('a.txt') }), 'accepted');
  // Keys that only a config has are told where they belong.
  await assert.rejects(read({ layer_idx: 1, seed: 1 }), ({ problem }: WorkbenchError) => /config/.test(problem.hint));
  await assert.rejects(read({ layer: 1 }), ({ problem }: WorkbenchError) => problem.hint.includes('"layer_idx"'));
});

test('what a request leaves out is filled in as the contract says', async () => {
  const filled = resolveConfig(await read({ layer_idx: 0 }), 48, 10_000_000);
  assert.equal(filled.latent_dim, 16 * 48);
  assert.equal(resolveConfig({ layer_idx: 0 }, 4096, 10_000_000).latent_dim, 16384);
  const { architecture, k, tied_init, batch_size, sparsity_coef, max_samples } = filled;
  assert.deepEqual([architecture, k, tied_init, batch_size, sparsity_coef], ['topk', 32, true, 4096, 2]);
  assert.equal(max_samples, undefined);
  assert.equal(filled.learning_rate, resolveConfig({}, 48, 10_000_000).learning_rate);
});

test('every request that is accepted is valid by the documented schema', async () => {
  const { document } = await openApi();
  const faults = schemaChecks(document);
  const random = new Random(7, 'requests');
  const values = [
    0,
    1,
    2,
    3,
    0.5,
    8,
    -1,
    1e300,
    '',
    'a.txt',
    'bundled:sample',
    'topk',
    true,
    null,
    [],
    ['a.txt'],
    [1],
    {},
  ];
  const pick = <T>(items: readonly T[]) => items[random.below(items.length)]!;
  // A provenance may be anything that holds something.
  const keys = [...configKeys, 'config', 'layer'].filter((key) => key !== 'provenance');
  const count = { accepted: 0, refused: 0 };
  for (let i = 0; i < 2000; i++) {
    const part = (): Record<string, unknown> =>
      Object.fromEntries(Array.from({ length: 1 + (i % 2) }, () => [pick(keys), pick(values)]));
    const body = { layer_idx: 1, ...(i % 3 === 0 ? part() : { config: part() }) };
    const outcome = await refused(body);
    const schema = faults('#/components/schemas/TrainRequest', body);
    if (outcome === 'accepted') {
      count.accepted++;
      assert.equal(schema, null, JSON.stringify(body));
    } else if (schema !== null) {
      count.refused++;
      assert.match(outcome, /^config_invalid/, JSON.stringify(body));
    }
  }
  assert.ok(count.accepted > 100 && count.refused > 100, JSON.stringify(count));
});
