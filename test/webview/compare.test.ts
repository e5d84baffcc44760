import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SaeConfig } from '../../src/shared/config.js';
import type { Evaluation } from '../../src/shared/messages.js';
import type { RunState } from '../../src/shared/panel.js';
import { compareRuns } from '../../src/webview/compare/columns.js';
import { compareConfigurations } from '../../src/webview/compare/configuration.js';
import { toMarkdown, toTsv } from '../../src/webview/compare/copy.js';
import { best, nextOrder, ordered } from '../../src/webview/compare/order.js';
import { endedRun, sampleEvaluation } from './sample-run.js';

const evaluation = (explained: number | null, mse: number): Evaluation => ({
  ...sampleEvaluation,
  explained_variance: explained,
  mse,
  cross_entropy: null,
  notes: { cross_entropy: 'cross_entropy_tokens is 0.' },
});

const run = (id: string, config: SaeConfig, result: Evaluation | null = null): RunState =>
  endedRun(id, 'completed', { config, evaluation: result });

const demo: SaeConfig = { model: 'bundled:demo-gpt2', layer_idx: 2, text: ['bundled:sample'], latent_dim: 4096, k: 32 };

const column = (runs: RunState[], key: string) => {
  const found = compareRuns(runs)
    .groups.flatMap(({ columns }) => columns)
    .find((each) => each.key === key);
  assert.ok(found, key);
  return found;
};

test('settings in which runs agree are told once, those in which they differ are columns', () => {
  const { same, columns } = compareConfigurations([
    run('a', { ...demo, output_dir: 'x', aux_coef: 0.1, name: 'one' }),
    run('b', { ...demo, output_dir: 'y', k: 64, threads: 2 }),
  ]);
  assert.deepEqual(same, [
    { label: 'Model', text: 'bundled:demo-gpt2' },
    { label: 'Hook point', text: 'blocks.2.hook_resid_post' },
    { label: 'Text', text: 'bundled:sample' },
    { label: 'Architecture', text: 'topk' },
    { label: 'Latents', text: '4,096' },
  ]);
  assert.deepEqual(
    columns.map(({ key }) => key),
    ['k', 'aux_coef'],
  );
});

test('a hook point is the same by its layer and by its name', () => {
  const { columns } = compareConfigurations([
    run('a', demo),
    run('b', { ...demo, layer_idx: undefined, hook_name: 'blocks.2.hook_resid_post' }),
  ]);
  assert.deepEqual(columns, []);
});

test('k belongs to topk and λ to standard, whatever the other defaults say', () => {
  const runs = [
    run('a', { ...demo, sparsity_coef: 2 }),
    run('b', { ...demo, architecture: 'standard', sparsity_coef: 0.04 }),
  ];
  const shown = (key: string) => runs.map((each) => column(runs, key).text(column(runs, key).value(each)));
  assert.deepEqual(shown('architecture'), ['topk', 'standard']);
  assert.deepEqual(shown('k'), ['32', '–']);
  assert.deepEqual(shown('sparsity_coef'), ['–', '0.04']);
});

test('runs are ordered by a column either way, and what has no value comes last', () => {
  const runs = [
    run('none', demo, evaluation(null, 1)),
    run('low', demo, evaluation(0.5, 1)),
    run('high', demo, evaluation(0.9, 1)),
    run('unevaluated', demo),
    run('low too', demo, evaluation(0.5, 1)),
  ];
  const explained = column(runs, 'held_out_explained_variance');
  const names = (descending: boolean) => ordered(runs, explained, descending).map(({ id }) => id);
  assert.deepEqual(names(false), ['low', 'low too', 'high', 'none', 'unevaluated']);
  assert.deepEqual(names(true), ['high', 'low', 'low too', 'none', 'unevaluated']);
});

test('the first press of a heading puts the better values first, the second turns the order round', () => {
  const runs = [run('a', demo), run('b', demo)];
  const [explained, error] = [column(runs, 'held_out_explained_variance'), column(runs, 'held_out_mse')];
  const first = nextOrder(null, explained);
  assert.deepEqual(first, { key: explained.key, descending: true });
  assert.deepEqual(nextOrder(first, explained), { key: explained.key, descending: false });
  assert.deepEqual(nextOrder(first, error), { key: error.key, descending: false });
});

test('the best value is the highest or the lowest as the metric says', () => {
  const runs = [run('a', demo, evaluation(0.5, 0.1)), run('b', { ...demo, k: 64 }, evaluation(0.9, 0.2))];
  assert.equal(best(runs, column(runs, 'held_out_explained_variance')), 0.9);
  assert.equal(best(runs, column(runs, 'held_out_mse')), 0.1);
  assert.equal(best(runs, column(runs, 'held_out_l0')), null);
  assert.equal(best(runs, column(runs, 'held_out_cosine')), null, 'equal values');
  assert.equal(best(runs.slice(1), column(runs, 'held_out_mse')), null, 'nothing to compare with');
});

test('no best value is marked between runs that were measured on different things', () => {
  const results = [evaluation(0.5, 0.1), evaluation(0.9, 0.2)] as const;
  for (const other of [{ layer_idx: 1 }, { model: 'another' }, { text: ['other.txt'] }] satisfies SaeConfig[]) {
    const runs = [run('a', demo, results[0]), run('b', { ...demo, ...other }, results[1])];
    assert.equal(compareRuns(runs).ranked, false);
    assert.equal(best(runs, column(runs, 'held_out_explained_variance')), null);
  }
});

test('losses of different architectures are not ranked', () => {
  const better = (other: SaeConfig) => column([run('a', demo), run('b', { ...demo, ...other })], 'train_loss').better;
  assert.equal(better({ k: 64 }), 'lower');
  assert.equal(better({ architecture: 'standard' }), null);
});

test('a missing value says why', () => {
  const runs = [run('a', demo, evaluation(0.5, 1)), run('b', demo)];
  const recovered = column(runs, 'held_out_loss_recovered');
  assert.equal(recovered.why?.(runs[0]!), 'cross_entropy_tokens is 0.');
  assert.equal(recovered.why(runs[1]!), 'Not evaluated yet.');
});

test('copied tables survive odd names', () => {
  const rows = [
    ['Run', 'k'],
    ['a|b\tc\nd', '32'],
  ];
  assert.equal(toTsv(rows), 'Run\tk\na|b c d\t32\n');
  assert.equal(toMarkdown(rows), '| Run | k |\n| --- | ---: |\n| a\\|b c d | 32 |\n');
});
