import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featureLines, mostTelling } from '../../../src/cli/terminal/features.js';
import type { FeatureExample, LatentSummary } from '../../../src/workbench/features.js';

const summary = (latent: number, firingCount: number, maxActivation: number | null): LatentSummary => ({
  latent,
  firingCount,
  frequency: firingCount / 100_000,
  maxActivation,
  meanActivation: maxActivation,
});

const example = (change: Partial<FeatureExample>): FeatureExample => ({
  rank: 0,
  activation: 12.34,
  sample: 7,
  position: 30,
  document: 2,
  token: ' tax',
  before: 'we must reform the federal',
  after: ' code so that families keep more of what they earn',
  ...change,
});

test('sparse features come first, the strongest before the others, and those that hardly ever fired not at all', () => {
  const all = [summary(0, 500, 3), summary(1, 3, 99), summary(2, 50, 8), summary(3, 0, null), summary(4, 30_000, 70)];
  const chosen = mostTelling(all, 5).map(({ latent }) => latent);
  assert.deepEqual(chosen, [2, 0, 4]);
  assert.deepEqual(mostTelling(all, 2).length, 2);
});

test('the tokens of all examples stand in one column, and no line is wider than the terminal', () => {
  for (const columns of [40, 80, 120]) {
    const lines = featureLines(
      summary(2, 50, 8),
      [
        example({}),
        example({ before: 'a' }),
        example({ before: 'x'.repeat(300), after: 'y'.repeat(300), activation: 1 }),
      ],
      columns,
    ).slice(1);
    const marks = lines.map((line) => line.indexOf('«'));
    assert.deepEqual(new Set(marks).size, 1);
    for (const line of lines) assert.ok(line.length <= columns, `${line.length} > ${columns}`);
  }
});

test('a feature says how often and how strongly it fires', () => {
  assert.equal(
    featureLines(summary(2, 50, 8), [], 80)[0],
    'latent 2 · fires on 0.1 % of tokens (50) · strongest 8.00 · mean 8.00',
  );
  assert.equal(
    featureLines(summary(2, 12, 8), [], 80)[0],
    'latent 2 · fires on 0.012 % of tokens (12) · strongest 8.00 · mean 8.00',
  );
  assert.deepEqual(featureLines(summary(9, 0, null), [], 80), ['latent 9 · never fired']);
});

test('text cannot control the terminal', () => {
  const lines = featureLines(
    summary(2, 50, 8),
    [example({ token: '\n', before: '\u001b[31m', after: '\r\u0007' })],
    80,
  );
  assert.match(lines[1]!, /\\u001b\[31m«↵»↵\\u0007$/);
});

test('recorded activations without text are named by where they are', () => {
  const lines = featureLines(summary(2, 50, 8), [example({ token: null, before: null, after: null })], 80);
  assert.equal(lines[1], '    12.3  sample 7, token 30');
});
