import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Control } from '../../../src/engine/control.js';
import { modelBlocks } from '../../../src/engine/evaluation/blocks.js';
import { evaluateSae } from '../../../src/engine/evaluation/evaluate.js';
import { crossEntropy, type LanguageModel } from '../../../src/engine/evaluation/loss-recovered.js';
import { locateModel } from '../../../src/engine/model/files.js';
import { readGraph } from '../../../src/engine/model/graph.js';
import { selectHook } from '../../../src/engine/model/hooks.js';
import { SplicedModel, TappedModel } from '../../../src/engine/model/session.js';
import { loadTokenizer } from '../../../src/engine/model/tokenizer.js';
import { SaeInference } from '../../../src/engine/sae/infer.js';
import type { SaeWeights } from '../../../src/engine/sae/weights.js';
import { buildContexts, type Contexts } from '../../../src/engine/text/contexts.js';

const control = new Control();
const dir = mkdtempSync(path.join(tmpdir(), 'iw-loss-'));
const texts = [
  'The state of the union is strong, and the people of this country know it.',
  'We will work with the Congress to bring down the cost of energy for every family in America.',
  'Peace.',
  'My fellow citizens, the year that has passed has tested us, and we have met the test together.',
];

let language: LanguageModel;
let contexts: Contexts;
let width: number;
/** The activations of the included positions, [rows, d]. */
let rows: Float32Array;
let mean: Float64Array;

async function* documents() {
  for (const [line, text] of texts.entries()) {
    await Promise.resolve();
    yield { text, file: 'speech', line, done: line / texts.length };
  }
}

/** A ReLU SAE of 2d latents, one per direction and sign; with gain 1 its reconstruction is exact. */
function signs(gain: number, bias: ArrayLike<number> = new Float32Array(width)): SaeWeights {
  const encoder = new Float32Array(2 * width * width);
  for (let j = 0; j < width; j++) {
    encoder[j * width + j] = 1;
    encoder[(width + j) * width + j] = -1;
  }
  return {
    architecture: 'standard',
    width,
    latents: 2 * width,
    encoder,
    decoder: encoder.map((value) => gain * value),
    encoderBias: new Float32Array(2 * width),
    decoderBias: Float32Array.from(bias),
  };
}

async function losses(weights: SaeWeights, model = language) {
  const inference = await SaeInference.create(weights, 1, 7);
  try {
    const measured = await crossEntropy(model, inference, mean, control);
    assert.ok(measured);
    return measured;
  } finally {
    await inference.dispose();
  }
}

/** Mean loss with `substitute` in the place of some positions' activations, context by context, without padding. */
async function lossWith(substitute: (x: Float32Array, position: number) => ArrayLike<number>): Promise<number> {
  let sum = 0;
  let tokens = 0;
  for (let context = 0; context < contexts.count; context++) {
    const ids = contexts.ids(context);
    const lengths = Int32Array.of(ids.length);
    const hidden = (await language.tapped.run(ids, lengths, ids.length)).slice();
    for (let t = 0; t < ids.length; t++) {
      const x = hidden.slice(t * width, (t + 1) * width);
      hidden.set(substitute(x, t), t * width);
    }
    const nll = await language.spliced.nll(hidden, ids, lengths, ids.length);
    sum += nll.reduce((total, value) => total + value, 0);
    tokens += ids.length - 1;
  }
  return sum / tokens;
}

const close = (actual: number | null, expected: number, tolerance: number) => {
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`);
};

before(async () => {
  const files = locateModel('test/fixtures/tiny-sotu-gpt2');
  const graph = readGraph(files.onnx);
  const hook = selectHook(graph, { layer_idx: 0 });
  const tapped = await TappedModel.open(files, hook, { threads: 1, graph });
  const spliced = await SplicedModel.open(files, hook, { threads: 1, graph });
  contexts = await buildContexts({
    documents: documents(),
    tokenizer: loadTokenizer(files),
    contextSize: 16,
    prependBos: true,
    excludeFirstPosition: true,
    heldOutFraction: 0,
    seed: 0,
    dir,
    control,
  });
  width = tapped.width;
  language = { tapped, spliced, contexts, list: contexts.trainContexts, maxTokens: 1e9 };
  const parts: Float32Array[] = [];
  for await (const block of modelBlocks(tapped, contexts, contexts.trainContexts, control)) {
    parts.push(block.rows.slice(0, block.count * width));
  }
  rows = Float32Array.from(parts.flatMap((part) => Array.from(part)));
  mean = new Float64Array(width);
  rows.forEach((value, at) => (mean[at % width]! += value / (rows.length / width)));
});

after(async () => {
  contexts.close();
  await language.tapped.dispose();
  await language.spliced.dispose();
  rmSync(dir, { recursive: true });
});

describe('the loss recovered', () => {
  it('is 1 for an exact reconstruction, 0 for zero and, against mean ablation, 0 for the mean', async () => {
    const exact = await losses(signs(1));
    close(exact.sae, exact.clean, 1e-6);
    close(exact.loss_recovered, 1, 1e-5);
    close(exact.loss_recovered_mean, 1, 1e-5);
    const zero = await losses(signs(0));
    close(zero.sae, zero.zero, 1e-6);
    close(zero.loss_recovered, 0, 1e-5);
    const constant = await losses(signs(0, mean));
    close(constant.sae, constant.mean, 1e-5);
    close(constant.loss_recovered_mean, 0, 1e-4);
    assert.ok(exact.zero > exact.clean + 0.1 && exact.mean > exact.clean + 0.1, 'ablation costs something');
  });

  it('is the ratio of losses summed over the whole set, the excluded first position left as it is', async () => {
    const measured = await losses(signs(0.5));
    const included = (change: (x: Float32Array) => ArrayLike<number>) => (x: Float32Array, t: number) =>
      t === 0 ? x : change(x);
    close(measured.clean, await lossWith((x) => x), 1e-5);
    close(measured.zero, await lossWith(included(() => new Float32Array(width))), 1e-5);
    close(measured.mean, await lossWith(included(() => mean)), 1e-5);
    close(measured.sae, await lossWith(included((x) => x.map((value) => value / 2))), 1e-5);
    close(measured.loss_recovered, (measured.zero - measured.sae) / (measured.zero - measured.clean), 1e-12);
    const everywhere = await lossWith(() => new Float32Array(width));
    assert.ok(Math.abs(everywhere - measured.zero) > 1e-3, 'the first position matters');
  });

  it('counts every predicted token once', async () => {
    const { tokens } = await losses(signs(1));
    const expected = Array.from({ length: contexts.count }, (_, i) => contexts.length(i) - 1);
    assert.equal(
      tokens,
      expected.reduce((sum, count) => sum + count, 0),
    );
  });

  it('is measured on at most the tokens asked for', async () => {
    const { tokens } = await losses(signs(1), { ...language, maxTokens: 40 });
    assert.ok(tokens > 0 && tokens <= 40, String(tokens));
  });

  it('is not known where there is nothing to predict', async () => {
    const inference = await SaeInference.create(signs(1), 1);
    const nothing = { ...language, list: new Uint32Array(0) };
    assert.equal(await crossEntropy(nothing, inference, mean, control), null);
    await inference.dispose();
  });
});

describe('an evaluation', () => {
  const evaluate = async (weights: SaeWeights, list: Uint32Array, model: LanguageModel | null) => {
    const inference = await SaeInference.create(weights, 1, 5);
    try {
      return await evaluateSae({
        inference,
        width,
        latents: weights.latents,
        blocks: modelBlocks(language.tapped, contexts, list, control),
        language: model && { ...model, list },
        deadFeatures: 3,
        text: 'speeches',
        ...(model ? {} : { notes: { cross_entropy: 'No model.' } }),
        control,
      });
    } finally {
      await inference.dispose();
    }
  };

  it('of an exact reconstruction finds nothing missing, over every included position', async () => {
    const result = await evaluate(signs(1), contexts.trainContexts, language);
    assert.equal(result.tokens, contexts.trainRows);
    close(result.explained_variance, 1, 1e-9);
    close(result.cosine, 1, 1e-6);
    close(result.l2_ratio, 1, 1e-6);
    const nonzero = rows.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
    assert.equal(result.l0, nonzero / contexts.trainRows);
    assert.equal(result.dead_fraction, 3 / (2 * width));
    assert.deepEqual(result.notes, {});
    assert.ok(result.cross_entropy);
  });

  it('of a constant at the mean explains nothing', async () => {
    const result = await evaluate(signs(0, mean), contexts.trainContexts, null);
    close(result.explained_variance, 0, 1e-6);
    close(result.fvu, 1, 1e-6);
    assert.equal(result.cross_entropy, null);
    assert.deepEqual(result.notes, { cross_entropy: 'No model.' });
  });

  it('of no text has a reason for everything that is null, and no number that is not finite', async () => {
    const result = await evaluate(signs(1), new Uint32Array(0), language);
    for (const [name, value] of Object.entries(result)) {
      if (typeof value === 'number') assert.ok(Number.isFinite(value), name);
      if (value === null) assert.equal(result.notes[name], 'There is no text to evaluate on.');
    }
    assert.equal(result.explained_variance, null);
    assert.deepEqual(JSON.parse(JSON.stringify(result)), result);
  });
});
