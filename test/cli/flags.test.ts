import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { addFlags, configFromFlags, sourceFlags, trainingFlags, withBundled } from '../../src/cli/flags.js';
import { describe } from '../../src/shared/config.js';
import { WorkbenchError } from '../../src/shared/errors.js';

const flags = [...sourceFlags, ...trainingFlags];

function parse(...args: string[]) {
  const command = addFlags(new Command('train'), flags).exitOverride();
  command.parse(args, { from: 'user' });
  return configFromFlags(command.opts(), flags);
}

function problemOf(action: () => unknown) {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof WorkbenchError);
    return error.problem;
  }
  return assert.fail('it was accepted');
}

test('every flag sets its key of the configuration', () => {
  const config = parse(
    ...['--model', 'm', '--layer', '3', '--text', 'a.txt', 'b.txt', '--text', 'bundled:sample'],
    ...['--architecture', 'standard', '--latent-dim', '512', '--k', '16', '--sparsity-coef', '0.5', '--epochs', '2'],
    ...['--tokens', '1000', '--batch-size', '64', '--learning-rate', '1e-3', '--context-size', '32', '--seed', '7'],
    ...['--threads', '2', '--max-samples', '9', '--out', 'run'],
  );
  assert.deepEqual(config, {
    model: path.resolve('m'),
    layer_idx: 3,
    text: [path.resolve('a.txt'), path.resolve('b.txt'), 'bundled:sample'],
    architecture: 'standard',
    latent_dim: 512,
    k: 16,
    sparsity_coef: 0.5,
    max_epochs: 2,
    max_tokens: 1000,
    batch_size: 64,
    learning_rate: 0.001,
    context_size: 32,
    seed: 7,
    threads: 2,
    max_samples: 9,
    output_dir: path.resolve('run'),
  });
  assert.deepEqual(parse('--hook', 'blocks.1.hook_mlp_out', '--activations', 'a.parquet'), {
    hook_name: 'blocks.1.hook_mlp_out',
    activation_data_path: path.resolve('a.parquet'),
  });
});

test('every flag is explained by the sentence of its key', () => {
  const help = addFlags(new Command('train'), flags).helpInformation().replace(/\s+/g, ' ');
  for (const { flag, key } of flags) assert.ok(help.includes(`${flag} ${describe(key)}`), flag);
});

test('a value that is no number, out of range or not whole is refused with the flag’s own name', () => {
  for (const [args, message] of [
    [['--k', 'many'], /^--k is "many", expected a number\.$/],
    [['--k', ''], /^--k is "", expected a number\.$/],
    [['--k', 'Infinity'], /^--k is "Infinity", expected a number\.$/],
    [['--epochs', '0'], /^--epochs is 0, expected >=1\.$/],
    [['--latent-dim', '0.5'], /^--latent-dim is 0\.5, expected /],
    [['--architecture', 'topp'], /^--architecture is "topp", expected .*topk.*standard/],
    [['--layer', '-1'], /^--layer is -1, expected >=0\.$/],
  ] as const) {
    const problem = problemOf(() => parse(...args));
    assert.match(problem.message, message);
    assert.equal(problem.code, 'config_invalid');
    assert.ok(problem.input && problem.hint.length > 0);
  }
});

test('a configuration swallowed by --text is noticed', () => {
  const problem = problemOf(() => parse('--text', 'a.txt', 'demo.sae.json'));
  assert.match(problem.message, /demo\.sae\.json/);
});

test('whoever names no model gets the bundled one with its layer and text', () => {
  assert.deepEqual(withBundled({}), { model: 'bundled:demo-gpt2', layer_idx: 2, text: ['bundled:sample'] });
  assert.deepEqual(withBundled({ hook_name: 'h', text: ['/t'] }), {
    model: 'bundled:demo-gpt2',
    hook_name: 'h',
    text: ['/t'],
  });
  assert.deepEqual(withBundled({ activation_data_path: '/a' }), { activation_data_path: '/a' });
});

test('a model without a layer or hook point is refused', () => {
  const problem = problemOf(() => withBundled({ model: '/m' }));
  assert.equal(problem.field, 'layer_idx');
});
