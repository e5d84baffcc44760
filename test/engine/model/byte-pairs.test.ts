import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { bytePairEncoder, type BytePairModel } from '../../../src/engine/model/byte-pairs.js';
import { Random } from '../../../src/engine/random.js';

const root = path.join(__dirname, '../../..');
const read = (file: string) =>
  JSON.parse(readFileSync(path.join(root, file), 'utf8')) as Record<string, unknown> & { model: BytePairModel };
const tiny = read('test/fixtures/tiny-sotu-gpt2/tokenizer.json');

for (const file of ['test/fixtures/tiny-sotu-gpt2/tokenizer.json', 'examples/demo-gpt2/tokenizer.json']) {
  test(`byte pairs are merged as the tokenizer of ${file} merges them`, () => {
    const json = read(file);
    const theirs = new HuggingFaceTokenizer(json, {});
    const ours = bytePairEncoder(json.model)!;
    const random = new Random(5, 'pieces');
    const letters = ['abcdefghijklmnopqrstuvwxyz', 'aeinrst', 'ab', 'éüñøß', '漢字かな'].map((all) => Array.from(all));
    for (let i = 0; i < 3000; i++) {
      const from = letters[i % letters.length]!;
      const word = Array.from({ length: 1 + random.below(20) }, () => from[random.below(from.length)]!).join('');
      const piece = (i % 2 === 0 ? ' ' : '') + word;
      const { ids } = theirs.encode(piece, { add_special_tokens: false });
      assert.deepEqual(ours(piece), ids, JSON.stringify(piece));
    }
  });
}

test('pairs may be written as strings or as lists', () => {
  const { vocab, merges } = tiny.model;
  const lists = merges!.map((merge) => (merge as string).split(' ') as [string, string]);
  const piece = ' information';
  assert.deepEqual(bytePairEncoder({ vocab: vocab!, merges: lists })!(piece), bytePairEncoder(tiny.model)!(piece));
});

test('models that do more than merge pairs of bytes are left to the tokenizer', () => {
  const { vocab, merges } = tiny.model;
  assert.equal(bytePairEncoder({}), null);
  assert.equal(bytePairEncoder({ ...tiny.model, ignore_merges: true }), null);
  assert.equal(bytePairEncoder({ ...tiny.model, end_of_word_suffix: '</w>' }), null);
  assert.equal(bytePairEncoder({ ...tiny.model, merges: [...merges!, 'q zzz'] }), null);
  const withoutA = Object.fromEntries(Object.entries(vocab!).filter(([token]) => token !== 'A'));
  assert.equal(bytePairEncoder({ vocab: withoutA, merges: [] }), null);
});
