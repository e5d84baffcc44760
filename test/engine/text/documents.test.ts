import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { WorkbenchError, type Problem } from '../../../src/shared/errors.js';
import { documents, listTextFiles, type Document } from '../../../src/engine/text/documents.js';
import { temporaryFolder } from '../model/temporary.js';

const folder = temporaryFolder();

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

async function read(names: string[], maxDocuments?: number): Promise<Document[]> {
  const all: Document[] = [];
  for await (const document of documents(listTextFiles(names), { maxDocuments })) all.push(document);
  return all;
}

async function problem(run: () => Promise<unknown>): Promise<Problem> {
  try {
    await run();
  } catch (error) {
    assert.ok(error instanceof WorkbenchError, `a bare ${String(error)}`);
    assert.ok(error.problem.input && error.problem.field === 'text' && !error.message.includes('\n'));
    return error.problem;
  }
  return assert.fail('nothing was thrown');
}

test('each line of a .jsonl file is a document, with its line', async () => {
  const file = write(
    'a.jsonl',
    '\ufeff{"text":"one"}\n\n{"source":"x","text":"two\\nlines"}\r\n{"text":"  "}\n{"text":"thrée"}',
  );
  const found = await read([file]);
  assert.deepEqual(
    found.map(({ text, line }) => [text, line]),
    [
      ['one', 1],
      ['two\nlines', 3],
      ['thrée', 5],
    ],
  );
  assert.ok(found.every((document) => document.file === file));
  assert.ok(found[0]!.done > 0 && found[0]!.done < found[1]!.done && found[2]!.done === 1);
});

test('lines longer than what is read at once come back whole', async () => {
  const texts = [1, 400_000, 7, 900_000].map((length, i) => 'äöü🙂'.charAt(i % 3).repeat(length));
  const file = write('long.jsonl', texts.map((text) => JSON.stringify({ text })).join('\n'));
  assert.deepEqual(
    (await read([file])).map(({ text }) => text),
    texts,
  );
});

test('a plain file below 1 MiB is one document', async () => {
  const text = 'First.\n\nSecond, näive 🙂.\n'.repeat(1000);
  const [document, ...rest] = await read([write('plain.txt', text)]);
  assert.equal(document!.text, text);
  assert.equal(rest.length, 0);
});

test('a larger plain file is cut at blank lines, and its parts make it up again', async () => {
  const paragraph = `${'wörd 🙂 '.repeat(60)}\nnext line`;
  const text = Array.from({ length: 3000 }, (_, i) => `${i} ${paragraph}`).join('\n\n');
  const found = await read([write('large.md', text)]);
  assert.equal(found.map((document) => document.text).join(''), text);
  assert.ok(found.length > 10);
  for (const document of found.slice(0, -1)) {
    assert.ok(document.text.endsWith('\n\n') && document.text.length >= 2 ** 16 && document.text.length < 2 ** 17);
  }
  for (const document of found.slice(1)) {
    const before = found
      .slice(0, found.indexOf(document))
      .map((each) => each.text)
      .join('');
    assert.equal(document.line, before.split('\n').length);
  }
});

test('text without blank lines is cut at line ends, and text without lines between characters', async () => {
  const lines = 'no blank line here\n'.repeat(80_000);
  const found = await read([write('lines.txt', lines)]);
  assert.equal(found.map(({ text }) => text).join(''), lines);
  assert.ok(found.length > 4 && found.every(({ text }) => text.endsWith('\n')));
  const one = `a${'🙂'.repeat(400_000)}`;
  const parts = await read([write('one.txt', one)]);
  assert.equal(parts.map(({ text }) => text).join(''), one);
  assert.ok(parts.length > 2 && parts.every(({ text }) => !/\p{Surrogate}/u.test(text)));
});

test('folders are read through, sorted, each file once, what is no text left out', async () => {
  write('tree/b.txt', 'b');
  write('tree/a/z.md', 'z');
  write('tree/a/y.JSONL', '{"text":"y"}');
  write('tree/picture.png', new Uint8Array([0, 1]));
  if (process.platform !== 'win32') symlinkSync(path.join(folder, 'tree'), path.join(folder, 'tree/a/loop'));
  const found = await read([path.join(folder, 'tree'), path.join(folder, 'tree/b.txt')]);
  assert.deepEqual(
    found.map(({ text }) => text),
    ['y', 'z', 'b'],
  );
});

test('the bundled sample has 980 documents', async () => {
  assert.equal((await read(['bundled:sample'])).length, 980);
});

test('reading stops after as many documents as wanted', async () => {
  const found = await read(['bundled:sample'], 7);
  assert.equal(found.length, 7);
  assert.equal(found[6]!.done, 1);
});

for (const [what, line, expected] of [
  ['a line that is no JSON', '{"text": "x"', /line 2: it is not JSON/],
  ['a line without text', '{"txt": "x"}', /line 2: it has no "text"/],
  ['a line whose text is no string', '{"text": 5}', /line 2: "text" is not a string/],
  ['a line that is no object', '"x"', /line 2: it has no "text"/],
] as const) {
  test(`${what} is refused with its number`, async () => {
    const file = write('broken.jsonl', `{"text":"fine"}\n${line}\n{"text":"fine"}\n`);
    const { code, message } = await problem(() => read([file]));
    assert.equal(code, 'text_unreadable');
    assert.match(message, expected);
    assert.ok(message.includes(file));
  });
}

test('text that is not UTF-8 is refused, wherever it breaks', async () => {
  const latin = Buffer.from('a line\ncaf\u00e9', 'latin1');
  assert.match((await problem(() => read([write('latin.txt', latin)]))).message, /not UTF-8/);
  const cut = Buffer.from('ends in the middle of é').subarray(0, -1);
  assert.match((await problem(() => read([write('cut.txt', cut)]))).message, /not UTF-8/);
  const line = Buffer.concat([Buffer.from('{"text":"a"}\n{"text":"'), Buffer.from([0xff]), Buffer.from('"}\n')]);
  assert.match((await problem(() => read([write('bytes.jsonl', line)]))).message, /line 2: it is not UTF-8/);
});

test('binary files are refused', async () => {
  for (const name of ['binary.txt', 'binary.jsonl', 'binary.bin']) {
    const { code, message } = await problem(() => read([write(name, Buffer.from('GIF89a\0\x01'))]));
    assert.equal(code, 'text_unreadable');
    assert.match(message, /binary/);
  }
  assert.match((await problem(() => read([write('utf16.txt', Buffer.from('\ufeffabc', 'utf16le'))]))).hint, /UTF-16/);
});

test('text that is empty, or only white space, is refused', async () => {
  for (const content of ['', '  \n\n\t']) {
    assert.equal((await problem(() => read([write('empty.txt', content)]))).code, 'text_empty');
  }
  assert.equal((await problem(() => read([write('empty.jsonl', '{"text":""}\n')]))).code, 'text_empty');
  mkdirSync(path.join(folder, 'bare'));
  assert.equal((await problem(() => read([path.join(folder, 'bare')]))).code, 'text_empty');
});

test('text that is not there is said to be missing', async () => {
  const { code, message } = await problem(() => read([path.join(folder, 'none.txt')]));
  assert.equal(code, 'text_unreadable');
  assert.match(message, /no text at .*none\.txt/);
});
