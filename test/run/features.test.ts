import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { parquetReadObjects } from 'hyparquet';
import { Random } from '../../src/engine/random.js';
import { Control } from '../../src/engine/control.js';
import { TopExamples, type Example } from '../../src/engine/features/collect.js';
import { textAround } from '../../src/engine/features/text.js';
import { writeFeatures } from '../../src/engine/features/write.js';
import { locateModel } from '../../src/engine/model/files.js';
import { loadTokenizer } from '../../src/engine/model/tokenizer.js';
import { buildContexts } from '../../src/engine/text/contexts.js';
import { Features } from '../../src/run/features.js';
import { WorkbenchError } from '../../src/shared/errors.js';

const root = mkdtempSync(path.join(tmpdir(), 'iw-features-'));
after(() => {
  rmSync(root, { recursive: true });
});
const control = new Control();

/** Three latents to a row group’s worth and more, some of which never fire. */
function example(latents: number): TopExamples {
  const random = new Random(2, 'features');
  const count = 4000;
  const top = new TopExamples(latents);
  top.add(
    {
      rows: new Float32Array(0),
      count,
      samples: Uint32Array.from({ length: count }, () => random.below(50)),
      positions: Uint32Array.from({ length: count }, () => random.below(100)),
    },
    {
      offsets: Int32Array.from({ length: count + 1 }, (_, i) => i),
      indices: Int32Array.from({ length: count }, () => random.below(Math.floor(latents / 2)) * 2),
      values: Float32Array.from({ length: count }, () => random.float() + 0.01),
    },
  );
  return top;
}

describe('the features of a run', () => {
  it('come back from their files as they were collected', async () => {
    const dir = path.join(root, 'run');
    const latents = 601;
    const top = example(latents);
    const lookup = ({ sample, position }: Example) => ({
      document: sample + 1,
      token: `“${position}”`,
      before: `before ${sample}`,
      after: 'née\n',
    });
    await writeFeatures(dir, top, lookup, control);
    const features = await Features.open(dir);
    assert.equal(features.summaries.length, latents);
    let without = 0;
    for (const { latent, firingCount, frequency, maxActivation, meanActivation } of features.summaries) {
      const expected = top.examples(latent);
      assert.equal(firingCount, top.firingCounts[latent]);
      assert.equal(frequency, firingCount / 4000);
      assert.equal(maxActivation, expected[0]?.activation ?? null);
      const mean = top.meanActivation(latent);
      assert.equal(meanActivation, mean === null ? null : Math.fround(mean));
      if (expected.length === 0) without++;
    }
    assert.ok(without > 100);
    for (const latent of [0, 1, 2, 254, 255, 256, 258, 599, 600]) {
      const expected = top.examples(latent).map((one, rank) => ({ rank, ...one, ...lookup(one) }));
      assert.deepEqual(await features.examples(latent), expected, `latent ${latent}`);
    }
    await assert.rejects(features.examples(latents), RangeError);
  });

  it('have the columns that other readers of the files are told', async () => {
    const dir = path.join(root, 'columns');
    await writeFeatures(dir, example(10), null, control);
    const rows = async (name: string) => {
      const bytes = readFileSync(path.join(dir, 'features', name));
      const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      return parquetReadObjects({ file });
    };
    const [latent] = await rows('latents.parquet');
    assert.deepEqual(Object.keys(latent!), [
      'latent',
      'firing_count',
      'frequency',
      'max_activation',
      'mean_activation',
      'examples',
    ]);
    const examples = await rows('examples.parquet');
    assert.deepEqual(Object.keys(examples[0]!), [
      'latent',
      'rank',
      'activation',
      'sample_id',
      'token_pos',
      'document',
      'token',
      'text_before',
      'text_after',
    ]);
    assert.ok(examples.every((row) => row.token === null && row.document === null));
  });

  it('of an SAE that never fired are summaries without examples', async () => {
    const dir = path.join(root, 'silent');
    await writeFeatures(dir, new TopExamples(4), null, control);
    const features = await Features.open(dir);
    assert.deepEqual(
      features.summaries.map(({ firingCount, frequency, maxActivation }) => [firingCount, frequency, maxActivation]),
      Array.from({ length: 4 }, () => [0, 0, null]),
    );
    assert.deepEqual(await features.examples(3), []);
  });

  it('that are missing or damaged are said so in a sentence', async () => {
    const unreadable = (why: RegExp) => (error: unknown) => {
      assert.ok(error instanceof WorkbenchError, String(error));
      assert.equal(error.problem.code, 'run_unreadable');
      assert.match(error.problem.message, why);
      return true;
    };
    await assert.rejects(Features.open(path.join(root, 'absent')), unreadable(/latents.parquet does not exist/));
    const dir = path.join(root, 'damaged');
    await writeFeatures(dir, example(10), null, control);
    truncateSync(path.join(dir, 'features', 'examples.parquet'), 100);
    const features = await Features.open(dir);
    await assert.rejects(features.examples(0), unreadable(/examples.parquet cannot be read/));
  });
});

describe('the text around an example', () => {
  it('is the document’s own, without special tokens and with its spaces', async () => {
    const text = 'The state of the union is strong, and the people of this country know it well.';
    async function* documents() {
      await Promise.resolve();
      yield { text, file: 'speech', line: 1, done: 1 };
    }
    const tokenizer = loadTokenizer(locateModel('test/fixtures/tiny-sotu-gpt2'));
    const contexts = await buildContexts({
      documents: documents(),
      tokenizer,
      contextSize: 64,
      prependBos: true,
      excludeFirstPosition: true,
      heldOutFraction: 0,
      seed: 0,
      dir: path.join(root, 'contexts'),
      control,
    });
    const around = textAround(contexts, tokenizer);
    for (const position of contexts.rowPositions(0)) {
      const { document, token, before, after: following } = around({ activation: 1, sample: 0, position });
      assert.equal(document, 0);
      assert.equal(token, tokenizer.tokenText(contexts.ids(0)[position]!));
      assert.ok(text.includes(before + token + following), `${before}|${token}|${following}`);
      assert.equal(text.startsWith(before), position <= 25, 'a text before of 24 tokens');
    }
    contexts.close();
  });
});
