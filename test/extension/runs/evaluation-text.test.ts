import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationText } from '../../../src/extension/runs/evaluation-text.js';
import { heldOutMetrics } from '../../../src/shared/metrics.js';
import { translate } from '../translate.js';
import { sampleEvaluation, sampleRun } from '../../webview/sample-run.js';

const read = (markdown: string) =>
  markdown.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
const text = (changes: Partial<typeof sampleEvaluation> = {}) =>
  read(evaluationText(sampleRun('a'), { ...sampleEvaluation, ...changes }, translate));

test('it says what was measured, of which run, on how much text', () => {
  assert.match(text(), /^# Evaluation of Demo a\n/);
  assert.match(text({ text: 'documents held out of training' }), /on 71,680 tokens: documents held out of training\./);
  assert.match(text(), /topk · 4,096 latents · k 32/);
});

test('every held-out metric is a row with its value, unit and meaning', () => {
  const lines = text().split('\n');
  for (const { label } of heldOutMetrics)
    assert.equal(lines.filter((line) => line.startsWith(`| ${label} |`)).length, 1);
  assert.match(text(), /\| Explained variance \| 0\.9533 \| fraction of the variance \| 1 − /);
});

test('a metric without a value is a dash with the reason, never a zero', () => {
  const line = text({ cross_entropy: null, notes: { cross_entropy: 'There is no model.' } })
    .split('\n')
    .find((row) => row.startsWith('| Loss recovered |'));
  assert.match(line!, /^\| Loss recovered \| – \| {2}\| .*Not known: There is no model\. \|$/);
});

test('the firing frequencies are drawn between the ends of what was seen', () => {
  const density = { edges: [-4, -3, -2, -1, 0], counts: [0, 10, 20, 0], never: 1234 };
  assert.match(text({ density }), /10\^-3\.0 ▁█ 10\^-1\.0/);
  assert.match(text({ density }), /on none of these tokens: 1,234\./);
  assert.doesNotMatch(text({ density: { ...density, counts: [0, 0, 0, 0] } }), /How often/);
});
