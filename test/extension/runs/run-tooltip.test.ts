import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runTooltip } from '../../../src/extension/runs/run-tooltip.js';
import { sampleEvaluation, sampleRun } from '../../webview/sample-run.js';
import { translate } from '../translate.js';

/** As a person reads it: without Markdown's escapes. */
const read = (markdown: string) =>
  markdown.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));

test('the story of a run in training', () => {
  const text = read(runTooltip(sampleRun('a'), translate));
  for (const row of [
    '**Demo a**',
    '| Status | in progress, 48.6 % |',
    '| SAE | topk · 4,096 latents · k 32 · blocks.2.hook_resid_post |',
    '| Trained on | bundled:demo-gpt2, bundled:sample |',
    '| Step | 1,200 / 1,745 |',
    '| Remaining | 1:02 |',
    '| Explained variance | 0.9071 fraction of the variance |',
    '| Dead latents | 12 latents |',
  ])
    assert.ok(text.includes(row), `${row}\nis not in\n${text}`);
});

test('a completed run is told with its held-out metrics and without a time left', () => {
  const run = sampleRun('a', { owner: 'nobody', evaluation: sampleEvaluation }, { status: 'completed', progress: 100 });
  const text = read(runTooltip(run, translate));
  assert.match(text, /Explained variance \| 0\.9533/);
  assert.doesNotMatch(text, /Remaining/);
});

test('a failure is told with what to do about it', () => {
  const error = { code: 'diverged', message: 'Training diverged.', hint: 'Choose a lower learning_rate.' };
  const text = read(runTooltip(sampleRun('a', { error }, { status: 'failed' }), translate));
  assert.match(text, /Training diverged\. Choose a lower learning_rate\.$/);
});

test('names and folders show as they are, and make no links, tables or images', () => {
  const text = runTooltip(sampleRun('a', { name: '![x](http://x/y) | *b*', dir: '/a|b\nc' }), translate);
  assert.doesNotMatch(text, /!\[|\*b\*|a\|b|http:\/\//);
  assert.ok(text.split('\n').every((line) => !line.startsWith('|') || line.split('|').length === 4));
});
