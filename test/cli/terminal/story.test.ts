import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closingLines } from '../../../src/cli/terminal/closing.js';
import { evaluationLines } from '../../../src/cli/terminal/evaluation.js';
import { courseLines, storyLines } from '../../../src/cli/terminal/story.js';
import { saeLine } from '../../../src/shared/wording.js';
import { completedRun, evaluation, metricsLine } from '../runs.js';

const resume = 'iw train --resume runs/a';
const story = (...run: Parameters<typeof completedRun>) => storyLines(completedRun(...run), [], resume).join('\n');

test('a completed run tells what was trained on what, how well, and where it lies', () => {
  const text = story();
  assert.match(text, /^status +completed$/m);
  assert.match(text, /^SAE +topk · 4,096 latents · k 32 · blocks\.2\.hook_resid_post$/m);
  assert.match(text, /^training +1,745 steps of 2,048 tokens · 5 epochs · 3\.57M tokens · 26\.7k tok\/s$/m);
  assert.match(text, /^ +explained variance +0\.9051$/m);
  assert.match(text, /^weights +\/home\/me\/runs\/a\/sae_weights\.safetensors$/m);
  assert.doesNotMatch(text, /--resume/);
});

test('a run that can be continued says with which command', () => {
  const { job } = completedRun();
  const stopped = { ...job, step: 540, progress: 31, epoch: 2, attempt: 2, completed_at: null };
  const text = story({ status: 'interrupted', evaluation: null, job: { ...stopped, status: 'training' } });
  assert.match(text, /^status +interrupted at 31\.0%, attempt 2$/m);
  assert.match(text, /^training +540 of 1,745 steps of 2,048 tokens · 2 of 5 epochs/m);
  assert.match(text, /continue with\n {2}iw train --resume runs\/a$/);
});

test('a failed run says why and what to do', () => {
  const { job } = completedRun();
  const error = { code: 'disk_full', message: 'The disk is full.', hint: 'Free some space, then resume the run.' };
  const text = story({ status: 'failed', job: { ...job, status: 'failed', error } });
  assert.match(text, /^error: The disk is full\.\nhint: Free some space, then resume the run\.$/m);
});

test('a run that has only begun is told without numbers it does not have', () => {
  const { job } = completedRun();
  const begun = { ...job, step: 0, total_steps: 0, tokens: 0, progress: 0, completed_at: null, elapsed_time: 0 };
  const text = story({
    status: 'preparing',
    evaluation: null,
    lastMetrics: null,
    job: { ...begun, status: 'preparing' },
    config: { model: '/m', layer_idx: 3, text: ['/t'] },
  });
  assert.match(text, /^SAE +topk · blocks\.3\.hook_resid_post$/m);
  assert.doesNotMatch(text, /NaN|undefined|null|training/);
});

test('the standard architecture is described by its λ', () => {
  const config = { architecture: 'standard', latent_dim: 512, k: 32, sparsity_coef: 2, layer_idx: 0 } as const;
  assert.equal(saeLine(config), 'standard · 512 latents · λ 2 · blocks.0.hook_resid_post');
});

test('names from outside cannot control the terminal', () => {
  const text = story({ config: { model: '/m\u001b[2J', hook_name: 'h\u0007', text: ['/t\u001b]0;x\u0007'] } });
  assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
});

test('the course of training runs from the first value over a curve to the last', () => {
  const lines = courseLines(
    [40, 30, 20, 10].map((loss, i) => metricsLine(10 * (i + 1), loss)),
    40,
  );
  assert.match(lines[0]!, /^loss +40\.00 {2}█▆▃▁ {2}10\.00$/);
  assert.match(lines[1]!, /^explained variance +0\.6000 {2}▁▃▆█ {2}0\.9000$/);
  assert.deepEqual(courseLines([metricsLine(10, 1)], 40), []);
});

test('an evaluation stands beside the last training values where a run has them', () => {
  const lines = evaluationLines(evaluation, completedRun().job.metrics).join('\n');
  assert.match(lines, /^ +training +held out$/m);
  assert.match(lines, /^explained variance +0\.9120 +0\.9051$/m);
  assert.match(lines, /^loss recovered +– +0\.9431$/m);
  assert.match(lines, /^dead latents +12 +41 \(1\.0 %\)$/m);
  assert.match(lines, /^cross entropy: with the SAE +– +3\.401$/m);
  assert.match(lines, /log10\): -4\.0 ▁█▃ -1\.0, never here: 96$/m);
});

test('what could not be measured is a dash with its reason', () => {
  const lines = evaluationLines({
    ...evaluation,
    cross_entropy: null,
    dead_features: null,
    dead_fraction: null,
    notes: { cross_entropy: 'only recorded activations were given' },
  }).join('\n');
  assert.match(lines, /^loss recovered +–$/m);
  assert.match(lines, /^dead latents +–$/m);
  assert.match(lines, /^cross_entropy: only recorded activations were given$/m);
});

test('the closing table gives the result and every path', () => {
  const text = closingLines(completedRun(), 'iw show runs/a --features').join('\n');
  assert.match(
    text,
    /^Trained topk · 4,096 latents · k 32 · blocks\.2\.hook_resid_post\nin 2:14: 1,745 steps, 3\.57M tokens$/m,
  );
  for (const name of ['sae_weights.safetensors', 'evaluation.json', 'features', 'iw show runs/a --features']) {
    assert.ok(text.includes(name), name);
  }
});
