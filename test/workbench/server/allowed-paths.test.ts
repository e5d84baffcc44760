import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { SaeConfig } from '../../../src/shared/config.js';
import type { WorkbenchError } from '../../../src/shared/errors.js';
import { allowedPaths } from '../../../src/workbench/server/allowed-paths.js';
import { linkOut } from '../../../src/workbench/server/links-out.js';
import { badSpelling } from '../../../src/workbench/server/path-spelling.js';
import { namesWithin, realPath } from '../../../src/workbench/server/real-path.js';
import { temporaryFolder } from '../small-run.js';

const folder = realpathSync(temporaryFolder());

/** A root with a model, text and activations in it; the same, with secrets, outside; and one more folder that is allowed. */
function layout() {
  const base = mkdtempSync(path.join(folder, 'case-'));
  const root = path.join(base, 'root');
  for (const place of ['root', 'outside', 'shared', 'root2']) {
    mkdirSync(path.join(base, place, 'model', 'onnx'), { recursive: true });
    mkdirSync(path.join(base, place, 'texts', 'deep'), { recursive: true });
    for (const file of ['model/onnx/model.onnx', 'model/tokenizer.json', 'a.txt', 'texts/deep/b.md', 'a.parquet']) {
      writeFileSync(path.join(base, place, file), 'x');
    }
  }
  const rules = { root, folders: [path.join(base, 'shared'), path.join(base, 'not there')] };
  const runsFolder = path.join(root, '.interpretability', 'runs');
  const link = (target: string, name: string) => {
    symlinkSync(path.join(base, target), path.join(root, name), 'junction');
  };
  return { base, root, runsFolder, link, rules: { ...rules, runsFolder } };
}
type Layout = ReturnType<typeof layout>;

const fields = ['model', 'text', 'activation_data_path', 'output_dir'] as const;
type Field = (typeof fields)[number];

const ask = ({ rules }: Layout, field: Field, name: string): Promise<SaeConfig> =>
  allowedPaths({ [field]: field === 'text' ? [name] : name }, rules);

/** What a request that names something is answered: the path, or `code field`. */
async function answer(to: Layout, field: Field, name: string): Promise<string> {
  try {
    const value = (await ask(to, field, name))[field];
    return typeof value === 'string' ? value : value!.join();
  } catch (error) {
    const { problem } = error as WorkbenchError;
    assert.ok(problem.input && problem.message.endsWith('.') && problem.hint.length > 0);
    return `${problem.code} ${problem.field}`;
  }
}

test('what lies in the root or in a folder that is allowed can be named, relatively or not', async () => {
  const to = layout();
  const { root, base } = to;
  const inRoot = (...names: string[]) => path.join(root, ...names);
  assert.equal(await answer(to, 'model', 'model'), inRoot('model'));
  assert.equal(await answer(to, 'model', './texts/../model/onnx/model.onnx'), inRoot('model', 'onnx', 'model.onnx'));
  assert.equal(await answer(to, 'text', 'texts'), inRoot('texts'));
  assert.equal(await answer(to, 'text', inRoot('a.txt')), inRoot('a.txt'));
  assert.equal(await answer(to, 'text', '.'), root);
  assert.equal(await answer(to, 'activation_data_path', 'a.parquet'), inRoot('a.parquet'));
  assert.equal(await answer(to, 'text', '../shared/a.txt'), path.join(base, 'shared', 'a.txt'));
  assert.equal(await answer(to, 'text', path.join(base, 'shared')), path.join(base, 'shared'));
  // Other keys stay as they are.
  const config = { layer_idx: 1, text: ['a.txt', 'texts'], seed: 3 };
  assert.deepEqual(await allowedPaths(config, to.rules), { ...config, text: [inRoot('a.txt'), inRoot('texts')] });
});

test('what ships can be named, and nothing else by such a name', async () => {
  const to = layout();
  assert.equal(await answer(to, 'model', 'bundled:demo-gpt2'), 'bundled:demo-gpt2');
  assert.equal(await answer(to, 'text', 'bundled:sample'), 'bundled:sample');
  for (const name of ['bundled:nothing', 'bundled:../../etc/passwd', 'bundled:__proto__', 'bundled:']) {
    assert.equal(await answer(to, 'model', name), 'model_not_found model', name);
    assert.equal(await answer(to, 'text', name), 'text_unreadable text', name);
  }
  assert.match(await answer(to, 'output_dir', 'bundled:sample'), /^path_not_allowed/);
});

test('what lies outside cannot be named in any field, by whatever path', async () => {
  const to = layout();
  to.link('outside', 'link');
  to.link('link', 'chain');
  const outside = path.join(to.base, 'outside');
  const ways = [
    outside,
    '../outside',
    'link',
    'texts/../link',
    'link/.',
    './link/',
    'model/../../outside',
    '..',
    '../root2',
  ];
  for (const field of fields) {
    for (const way of [...ways, '/', '/etc', 'link/none', 'link/none/none', '../root2/none', '../none']) {
      assert.equal(await answer(to, field, way), `path_not_allowed ${field}`, `${field} ${way}`);
    }
    for (const file of ['a.txt', 'a.parquet', 'model', 'texts']) {
      for (const way of ways) {
        const name = path.join(way, file);
        assert.equal(await answer(to, field, `${way}/${file}`), `path_not_allowed ${field}`, `${field} ${name}`);
      }
    }
  }
});

test('links that stay inside are followed, and are gone from what is handed on', async () => {
  const to = layout();
  to.link('root/texts', 'same');
  to.link('shared', 'other');
  assert.equal(await answer(to, 'text', 'same/deep/b.md'), path.join(to.root, 'texts', 'deep', 'b.md'));
  assert.equal(await answer(to, 'text', 'other/a.txt'), path.join(to.base, 'shared', 'a.txt'));
  // A root that is itself reached by a link is no other one.
  symlinkSync(to.root, path.join(to.base, 'way'), 'junction');
  const rules = { ...to.rules, root: path.join(to.base, 'way') };
  assert.deepEqual(await allowedPaths({ text: ['a.txt'] }, rules), { text: [path.join(to.root, 'a.txt')] });
});

test('links to files and links that lead nowhere', { skip: process.platform === 'win32' }, async () => {
  const to = layout();
  to.link('outside/a.txt', 'stolen.txt');
  to.link('outside/none', 'nowhere');
  symlinkSync('loop', path.join(to.root, 'loop'));
  for (const field of fields) {
    for (const name of ['stolen.txt', 'nowhere', 'nowhere/x', 'loop', 'loop/x']) {
      assert.equal(await answer(to, field, name), `path_not_allowed ${field}`, `${field} ${name}`);
    }
  }
});

test('what is not there, or is no file, is told by its field', async () => {
  const to = layout();
  const long = 'x'.repeat(300);
  assert.equal(await answer(to, 'model', 'none'), 'model_not_found model');
  assert.equal(await answer(to, 'text', 'none.txt'), 'text_unreadable text');
  assert.equal(await answer(to, 'text', 'a.txt/b'), 'text_unreadable text');
  assert.equal(await answer(to, 'activation_data_path', 'none'), 'activations_unreadable activation_data_path');
  assert.equal(await answer(to, 'activation_data_path', 'texts'), 'activations_unreadable activation_data_path');
  for (const field of fields) {
    assert.match(
      await answer(to, field, long),
      new RegExp(`^(path_not_allowed|text_unreadable|model_not_found|activ.*) ${field}$`),
    );
    assert.match(await answer(to, field, 'a/'.repeat(30_000)), new RegExp(`^path_not_allowed ${field}$`));
  }
});

test('a pipe is never opened', { skip: process.platform === 'win32' }, async () => {
  const to = layout();
  execFileSync('mkfifo', [path.join(to.root, 'pipe')]);
  assert.equal(await answer(to, 'text', 'pipe'), 'text_unreadable text');
  assert.equal(await answer(to, 'model', 'pipe'), 'model_not_found model');
  assert.equal(await answer(to, 'activation_data_path', 'pipe'), 'activations_unreadable activation_data_path');
});

test('a folder is refused for a link in it that leads out, which is named', async () => {
  const to = layout();
  to.link('outside', 'texts/deep/link');
  await assert.rejects(ask(to, 'text', 'texts'), /texts[\\/]deep[\\/]link\.$/);
  assert.equal(await answer(to, 'text', 'texts/deep/b.md'), path.join(to.root, 'texts', 'deep', 'b.md'));
  to.link('outside/model', 'model/onnx/weights');
  for (const name of ['model', 'model/onnx', 'model/onnx/model.onnx']) {
    assert.equal(await answer(to, 'model', name), 'path_not_allowed model', name);
  }
  // Those that stay inside, and those that lead nowhere, harm nobody.
  const well = layout();
  well.link('root/model', 'texts/link');
  well.link('shared/texts', 'texts/other');
  well.link('nowhere', 'texts/nothing');
  assert.equal(await answer(well, 'text', 'texts'), path.join(well.root, 'texts'));
});

test('the tokenizer of a model may lie one folder above it, but not outside', async () => {
  const to = layout();
  const rules = { ...to.rules, root: path.join(to.root, 'model', 'onnx') };
  await assert.rejects(allowedPaths({ model: 'model.onnx' }, rules), { name: 'WorkbenchError' });
  renameSync(path.join(to.root, 'model', 'onnx'), path.join(to.root, 'model', 'graph'));
  const allowed = await allowedPaths({ model: 'model.onnx' }, { ...rules, root: path.join(to.root, 'model', 'graph') });
  assert.equal(allowed.model, path.join(to.root, 'model', 'graph', 'model.onnx'));
});

test('a folder with more files than can be looked through is refused', async () => {
  const { root } = layout();
  const inside = () => Promise.resolve(true);
  assert.equal(await linkOut(root, inside, 100), null);
  assert.match((await linkOut(root, inside, 5))!, /more than 5 files/);
  assert.match((await linkOut(path.join(root, 'none'), inside))!, /cannot be read/);
});

test('an output folder lies in the runs folder, is not it, and is no part of a run', async () => {
  const to = layout();
  const { runsFolder, root } = to;
  const runs = path.join('.interpretability', 'runs');
  for (const name of [path.join(runs, 'new'), path.join(runsFolder, 'new'), `${runs}/other/../new/`]) {
    assert.equal(await answer(to, 'output_dir', name), path.join(runsFolder, 'new'));
  }
  assert.equal(await answer(to, 'output_dir', path.join(runs, 'a', 'b')), path.join(runsFolder, 'a', 'b'));
  for (const name of [
    runs,
    runsFolder,
    `${runs}/x/..`,
    'new',
    '.',
    '..',
    `${runs}/../new`,
    `${runs}2/new`,
    '../shared/new',
  ]) {
    assert.equal(await answer(to, 'output_dir', name), 'path_not_allowed output_dir', name);
  }
  // Nothing is made by asking.
  assert.ok(!readdirSync(root).includes('.interpretability'));

  mkdirSync(path.join(runsFolder, 'run', 'features'), { recursive: true });
  writeFileSync(path.join(runsFolder, 'run', 'job.json'), '{}');
  assert.equal(await answer(to, 'output_dir', `${runs}/run/features/new`), 'output_unusable output_dir');
  to.link('outside', `${runs}/link`);
  assert.equal(await answer(to, 'output_dir', `${runs}/link`), 'path_not_allowed output_dir');
  assert.equal(await answer(to, 'output_dir', `${runs}/link/new`), 'path_not_allowed output_dir');
  // A runs folder elsewhere, reached by a link, keeps the name that the person gave it.
  symlinkSync(path.join(to.base, 'outside'), path.join(to.base, 'elsewhere'), 'junction');
  const rules = { ...to.rules, runsFolder: path.join(to.base, 'elsewhere') };
  const { output_dir } = await allowedPaths({ output_dir: path.join(to.base, 'outside', 'new') }, rules);
  assert.equal(output_dir, path.join(to.base, 'elsewhere', 'new'));
});

test('folders are compared by what they are, not by how they are spelled', async () => {
  const { root, base } = layout();
  const within = async (a: string, b: string) => namesWithin(await realPath(a), await realPath(b));
  assert.deepEqual(await within(root, path.join(root, 'texts', 'new', 'x')), ['texts', 'new', 'x']);
  assert.deepEqual(await within(root, root), []);
  assert.equal(await within(root, base), null);
  assert.equal(await within(path.join(root, 'none'), path.join(root, 'None')), null);
  assert.deepEqual(await within(path.join(root, 'none'), path.join(root, 'none', 'x')), ['x']);
  assert.deepEqual(await within('/', root), root.split(path.sep).slice(1));
  // Another spelling of the same folder, as other cases are on some file systems.
  symlinkSync(root, path.join(base, 'ROOT'), 'junction');
  const respelled = { existing: path.join(base, 'ROOT'), missing: [] };
  assert.deepEqual(await namesWithin(respelled, await realPath(path.join(root, 'texts', 'new'))), ['texts', 'new']);
  assert.equal(await namesWithin(respelled, await realPath(base)), null);
  // Case decides only where the file system says so.
  const upper = path.join(root, 'TEXTS', 'deep');
  const same = await realPath(upper).then(({ missing }) => missing.length === 0);
  assert.deepEqual(await within(path.join(root, 'texts'), upper), same ? ['deep'] : null);
});

test('names by which Windows means something else than a file are refused', () => {
  const everywhere = ['\\\\server\\share\\a', '\\\\?\\C:\\a', '\\\\.\\NUL', 'a\0', '\0'];
  const onWindows = [
    ...[
      '//server/share',
      '//./pipe/x',
      '\\/server',
      'C:a.txt',
      'c:',
      'C:..\\a',
      'D:',
      'a.txt:stream',
      'a::$DATA',
      'C:\\a:b',
    ],
    ...['NUL', 'con', 'aux.txt', 'a/PRN', 'a\\COM1', 'com¹.log', 'LPT9', 'nul .txt', 'CONIN$', 'x/nul/y', 'NUL:'],
    ...['a./b', 'a ', '.. /a', 'a/...', ' .', 'C:\\dir. \\a'],
  ];
  const fine = [
    'a',
    'a/b.txt',
    '..',
    '../a',
    '.',
    './a',
    'C:\\a\\b',
    'C:/a',
    'console',
    'com',
    'com10x',
    'null',
    'a b',
    '.hidden',
  ];
  for (const name of everywhere) for (const windows of [true, false]) assert.ok(badSpelling(name, windows), name);
  for (const name of onWindows) {
    assert.ok(badSpelling(name, true), name);
    assert.equal(badSpelling(name, false), undefined, name);
  }
  for (const name of fine) assert.equal(badSpelling(name, true), undefined, name);
});

test('NUL and network names are refused in every field', async () => {
  const to = layout();
  for (const field of fields) {
    for (const name of ['a\0.txt', '\\\\server\\share']) {
      assert.equal(await answer(to, field, name), `path_not_allowed ${field}`);
    }
  }
});
