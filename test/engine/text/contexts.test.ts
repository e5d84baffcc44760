import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { WorkbenchError } from '../../../src/shared/errors.js';
import { Random } from '../../../src/engine/random.js';
import { Cancelled, Control } from '../../../src/engine/control.js';
import { locateModel } from '../../../src/engine/model/files.js';
import { loadTokenizer } from '../../../src/engine/model/tokenizer.js';
import { buildContexts, Contexts, type BuildContexts } from '../../../src/engine/text/contexts.js';
import { documents, listTextFiles, type Document } from '../../../src/engine/text/documents.js';
import { temporaryFolder } from '../model/temporary.js';

const tokenizer = loadTokenizer(locateModel(path.join(__dirname, '../../fixtures/tiny-sotu-gpt2')));
const folder = temporaryFolder();
let folders = 0;

async function* given(texts: readonly string[]): AsyncGenerator<Document> {
  for (const [i, text] of texts.entries())
    yield await Promise.resolve({ text, file: 'x', line: i + 1, done: (i + 1) / texts.length });
}

function options(texts: readonly string[], more: Partial<BuildContexts> = {}): BuildContexts {
  return {
    documents: given(texts),
    tokenizer,
    contextSize: 8,
    prependBos: true,
    excludeFirstPosition: true,
    heldOutFraction: 0.2,
    seed: 1,
    dir: path.join(folder, String(folders++)),
    control: new Control(),
    ...more,
  };
}

const random = new Random(1, 'texts');
const texts = Array.from({ length: 40 }, () =>
  'the state of our Union '.repeat(1 + random.below(6)).slice(random.below(20)),
);
texts[3] = 'We<|endoftext|> the people of the United<|endoftext|> States of America';

test('the contexts of a document, BOS taken away, are its tokens in order', async () => {
  const contexts = await buildContexts(options(texts));
  for (const [document, text] of texts.entries()) {
    const ids = tokenizer.encoder()(text);
    const own = Array.from({ length: contexts.count }, (_, i) => i).filter((i) => contexts.document(i) === document);
    const back: number[] = [];
    for (const i of own) {
      const context = contexts.ids(i);
      assert.equal(context[0], tokenizer.bosId);
      assert.ok(context.length >= 2 && context.length <= 8 && context.length === contexts.length(i));
      assert.equal(contexts.start(i), back.length);
      back.push(...context.slice(1));
    }
    assert.deepEqual(back, ids);
  }
  assert.equal(contexts.documentCount, texts.length);
  assert.equal(
    contexts.tokens,
    Array.from({ length: contexts.count }, (_, i) => contexts.length(i)).reduce((a, b) => a + b),
  );
  contexts.close();
});

for (const [prependBos, excludeFirstPosition] of [
  [true, true],
  [true, false],
  [false, true],
  [false, false],
] as const) {
  test(`rows are what is neither special nor excluded (BOS ${prependBos}, first position excluded ${excludeFirstPosition})`, async () => {
    const contexts = await buildContexts(options(texts, { prependBos, excludeFirstPosition }));
    let [train, held] = [0, 0];
    for (let i = 0; i < contexts.count; i++) {
      const ids = [...contexts.ids(i)];
      const expected = ids.flatMap((id, at) => (id === 0 || (at === 0 && excludeFirstPosition) ? [] : [at]));
      assert.deepEqual([...contexts.rowPositions(i)], expected);
      assert.equal(contexts.rowCount(i), expected.length);
      assert.ok(expected.length > 0 && ids.length >= 2);
      if (contexts.heldOut(i)) held += expected.length;
      else train += expected.length;
    }
    assert.deepEqual([contexts.trainRows, contexts.heldOutRows], [train, held]);
    contexts.close();
  });
}

test('documents are held out whole, about as many as asked for', async () => {
  const contexts = await buildContexts(options(texts));
  const held = new Set([...contexts.heldOutContexts].map((i) => contexts.document(i)));
  assert.ok([...contexts.trainContexts].every((i) => !held.has(contexts.document(i)) && !contexts.heldOut(i)));
  assert.equal(contexts.trainContexts.length + contexts.heldOutContexts.length, contexts.count);
  assert.ok(Math.abs(contexts.heldOutRows / (contexts.heldOutRows + contexts.trainRows) - 0.2) < 0.03);
  contexts.close();
});

test('ids can be read into an array that is there', async () => {
  const contexts = await buildContexts(options(texts));
  const out = new Int32Array(20).fill(-1);
  const ids = contexts.ids(2, out);
  assert.equal(ids.buffer, out.buffer);
  assert.deepEqual([...out.subarray(0, ids.length)], [...contexts.ids(2)]);
  assert.ok(out.subarray(ids.length).every((value) => value === -1));
  contexts.close();
});

test('the same text and settings give the same bytes', async () => {
  const [a, b] = [options(texts), options(texts)];
  const [first, second] = [await buildContexts(a), await buildContexts(b)];
  assert.ok(readFileSync(path.join(a.dir, 'contexts.bin')).equals(readFileSync(path.join(b.dir, 'contexts.bin'))));
  assert.equal(first.sha256, second.sha256);
  first.close();
  second.close();
});

test('finished contexts are used again without reading the documents', async () => {
  const made = options(texts);
  (await buildContexts(made)).close();
  async function* unread(): AsyncGenerator<Document> {
    yield* given(['']);
    assert.fail('the documents were read again');
  }
  const again = await buildContexts({ ...made, documents: unread() });
  assert.equal(again.documentCount, texts.length);
  again.close();
});

test('contexts made with other settings, cut short or never finished are made again', async () => {
  const made = options(texts);
  (await buildContexts(made)).close();
  const other = await buildContexts({ ...made, documents: given(texts), contextSize: 5 });
  assert.equal(other.contextSize, 5);
  other.close();
  const json = path.join(made.dir, 'contexts.json');
  for (const damage of [
    () => {
      truncateSync(path.join(made.dir, 'contexts.bin'), 100);
    },
    () => {
      writeFileSync(json, '{"format_ver');
    },
  ]) {
    damage();
    assert.equal(await Contexts.open(made.dir), null);
    const again = await buildContexts({ ...made, documents: given(texts) });
    assert.equal(again.contextSize, 8);
    again.close();
  }
});

test('text too short for any context is refused and leaves nothing behind', async () => {
  const made = options(['a', 'b'], { prependBos: false });
  await assert.rejects(buildContexts(made), (error: WorkbenchError) => error.problem.code === 'text_empty');
  assert.deepEqual(readdirSync(made.dir), []);
});

test('what goes wrong while reading leaves nothing behind', async () => {
  async function* broken(): AsyncGenerator<Document> {
    yield* given(texts);
    throw new Error('broken');
  }
  const made = options([], { documents: broken() });
  await assert.rejects(buildContexts(made), /broken/);
  assert.deepEqual(readdirSync(made.dir), []);
});

test('cancelling ends tokenising and leaves nothing behind', async () => {
  const control = new Control();
  const made = options([], {
    documents: documents(listTextFiles(['bundled:sample'])),
    control,
    onProgress: () => {
      control.cancel();
    },
  });
  await assert.rejects(buildContexts(made), Cancelled);
  assert.ok(!existsSync(path.join(made.dir, 'contexts.bin')));
});

test('progress rises from document to document and ends at 1', async () => {
  const seen: number[] = [];
  const files = listTextFiles(['bundled:sample']);
  const made = options([], {
    documents: documents(files, { maxDocuments: 150 }),
    contextSize: 128,
    onProgress: ({ fraction }) => seen.push(fraction),
  });
  const contexts = await buildContexts(made);
  assert.equal(contexts.documentCount, 150);
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  );
  assert.equal(seen.at(-1), 1);
  contexts.close();
});
