import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { WorkbenchError } from '../../../src/shared/errors.js';
import { embeddingRows } from '../../../src/engine/model/embedding.js';
import { locateModel } from '../../../src/engine/model/files.js';
import { readGraph } from '../../../src/engine/model/graph.js';
import { checkTokenizer, loadTokenizer } from '../../../src/engine/model/tokenizer.js';
import { temporaryFolder } from './temporary.js';

const root = path.join(__dirname, '../../..');
const tiny = locateModel(path.join(root, 'test/fixtures/tiny-sotu-gpt2'));
const demo = locateModel(path.join(root, 'examples/demo-gpt2'));
const json = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
const folder = temporaryFolder();
let folders = 0;

/** A model folder with these tokenizer files; undefined leaves one out. */
function modelWith(tokenizer: string | undefined, settings?: string, config?: string) {
  const home = path.join(folder, String(folders++));
  mkdirSync(home);
  copyFileSync(tiny.onnx, path.join(home, 'model.onnx'));
  if (tokenizer !== undefined) writeFileSync(path.join(home, 'tokenizer.json'), tokenizer);
  if (settings !== undefined) writeFileSync(path.join(home, 'tokenizer_config.json'), settings);
  if (config !== undefined) writeFileSync(path.join(home, 'config.json'), config);
  return locateModel(home);
}

const own = readFileSync(tiny.tokenizerJson!, 'utf8');

test('remembered pieces give what the whole tokenizer gives, for the sample and for odd text', () => {
  const theirs = new HuggingFaceTokenizer(json(demo.tokenizerJson!), json(demo.tokenizerConfig!));
  const encode = loadTokenizer(demo).encoder();
  const lines = readFileSync(path.join(root, 'examples/sample.jsonl'), 'utf8').trim().split('\n').slice(0, 60);
  const texts = lines.map((line) => (JSON.parse(line) as { text: string }).text);
  texts.push(
    '',
    ' ',
    ' \n\n  x\t\ty  \u00a0 z',
    "we'll don't it's 'tis",
    '\u2003a\ud800b',
    '🙂🙂 e\u0301 漢字',
    'a<|endoftext|> b',
    '\r\n\r\n1234 5,6',
  );
  for (const text of texts) {
    const { ids } = theirs.encode(text, { add_special_tokens: false });
    assert.deepEqual(encode(text), ids, JSON.stringify(text.slice(0, 40)));
    assert.deepEqual(encode(text), ids, 'a second time');
  }
});

test('decoding gives the text back, spaces before punctuation included', () => {
  const tokenizer = loadTokenizer(tiny);
  for (const text of ['We , the people .', ' the  Union', 'naïve 🙂'])
    assert.equal(tokenizer.decode(tokenizer.encoder()(text)), text);
  assert.equal(tokenizer.decode([]), '');
});

test('the texts of single tokens make up the text', () => {
  const tokenizer = loadTokenizer(demo);
  const text = 'The state of the Union is strong.';
  assert.equal(
    tokenizer
      .encoder()(text)
      .map((id) => tokenizer.tokenText(id))
      .join(''),
    text,
  );
  assert.equal(tokenizer.tokenText(tokenizer.bosId!), '<|endoftext|>');
  assert.equal(tokenizer.tokenText(10 ** 6), '');
});

test('special tokens are known by id', () => {
  const { bosId, eosId, padId, specialIds, vocabSize, sha256 } = loadTokenizer(tiny);
  assert.deepEqual([bosId, eosId, padId, [...specialIds], vocabSize], [0, 0, 0, [0], 512]);
  assert.match(sha256, /^[0-9a-f]{64}$/);
});

test('special tokens may be written as objects, and one that is null is not there', () => {
  const settings = { bos_token: null, eos_token: { content: '<|endoftext|>' }, pad_token: 'A' };
  const { bosId, eosId, padId, specialIds } = loadTokenizer(modelWith(own, JSON.stringify(settings)));
  assert.deepEqual([bosId, eosId, padId, [...specialIds].sort()], [null, 0, 66, [0, 66]]);
});

test('without tokenizer_config.json the model’s config.json says which ids are special', () => {
  const tokenizer = loadTokenizer(modelWith(own, undefined, '{"bos_token_id": 5, "eos_token_id": 6}'));
  assert.deepEqual([tokenizer.bosId, tokenizer.eosId, tokenizer.padId], [5, 6, 6]);
});

test('a sentencepiece-like tokenizer keeps the space in front of a word', () => {
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null };
  const vocab = { '<unk>': 0, '<s>': 1, '<0x0A>': 2, '▁the': 3, '▁': 4, t: 5, h: 6, e: 7 };
  const model = { type: 'BPE', vocab, merges: ['t h'], unk_token: '<unk>', byte_fallback: true };
  const decoder = {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  };
  const added_tokens = [{ id: 1, content: '<s>', special: true }];
  const tokenizer = loadTokenizer(
    modelWith(JSON.stringify({ ...parts, model, decoder, added_tokens }), '{"bos_token": "<s>"}'),
  );
  assert.deepEqual(
    [3, 2, 1, 5].map((id) => tokenizer.tokenText(id)),
    [' the', '\n', '<s>', 't'],
  );
  assert.equal(tokenizer.bosId, 1);
});

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof WorkbenchError, `a bare ${String(error)}`);
    assert.ok(error.problem.input && !error.message.includes('\n'));
    return error.problem.code;
  }
  return assert.fail('nothing was thrown');
}

test('a missing or unusable tokenizer is refused', () => {
  for (const content of [
    undefined,
    '',
    '{',
    '[]',
    'null',
    '{}',
    '{"model":{}}',
    '{"model":{"type":"BPE"}}',
    own.slice(0, 3000),
  ]) {
    assert.equal(
      code(() => loadTokenizer(modelWith(content))),
      'tokenizer_missing',
      content,
    );
  }
  assert.equal(
    code(() => loadTokenizer(modelWith(own, '{'))),
    'tokenizer_missing',
  );
});

test('a tokenizer with more ids than the model has embeddings is refused', () => {
  const small = readGraph(tiny.onnx);
  const large = readGraph(demo.onnx);
  assert.deepEqual([embeddingRows(small), embeddingRows(large)], [512, 8192]);
  checkTokenizer(loadTokenizer(tiny), small);
  checkTokenizer(loadTokenizer(tiny), large);
  assert.equal(
    code(() => {
      checkTokenizer(loadTokenizer(demo), small);
    }),
    'tokenizer_mismatch',
  );
});
