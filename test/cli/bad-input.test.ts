import assert from 'node:assert/strict';
import { cp, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, test } from 'node:test';
import type { SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { RunLock } from '../../src/run/lock.js';
import { contents, demoModel, iw, temporaryFolder, tinyModel } from './cli.js';

/**
 * Every input that cannot be used gets one sentence and a hint, exit code 2 and nothing on standard output, and leaves
 * the folder it ran in as it was.
 */
async function refused(args: readonly string[], message: RegExp, hint: RegExp = /./): Promise<void> {
  const earlier = await contents(cwd);
  const { code, stdout, stderr } = await iw(cwd, ...args, '--quiet');
  const lines = stderr.split('\n');
  const problem = lines.findIndex((line) => line.startsWith('error: '));
  assert.equal(code, 2, stderr);
  assert.equal(stdout, '');
  assert.match(lines[problem]!, message);
  assert.match(lines[problem]!, /\.$/);
  assert.match(lines[problem + 1]!, /^hint: /);
  assert.match(lines[problem + 1]!, hint);
  assert.doesNotMatch(stderr, /\n {4}at /);
  assert.deepEqual(await contents(cwd), earlier);
}

const cwd = temporaryFolder();
const tiny = ['--model', tinyModel, '--layer', '1', '--latent-dim', '64', '--k', '4'];
const words = 'My fellow citizens, the state of our union is strong. '.repeat(400);

/** A file in the folder the program runs in. */
async function file(name: string, data: string | Uint8Array): Promise<string> {
  await mkdir(path.dirname(path.join(cwd, name)), { recursive: true });
  await writeFile(path.join(cwd, name), data);
  return name;
}

/** A copy of the tiny model that something can be done to. */
async function modelCopy(name: string, from = tinyModel): Promise<string> {
  await cp(from, path.join(cwd, name), { recursive: true });
  return path.join(cwd, name);
}

before(async () => {
  await file('a.txt', words);
});

test('a model that is not there', async () => {
  await refused(['train', '--model', 'nowhere', '--layer', '0'], /nowhere/);
  await refused(['train', '--model', 'bundled:nothing', '--layer', '0'], /bundled:nothing/, /bundled:demo-gpt2/);
});

test('a folder without a model', async () => {
  await file('empty/readme', 'nothing here');
  await refused(['train', '--model', 'empty', '--layer', '0'], /empty/);
});

test('a file that is not an ONNX model', async () => {
  const dir = await modelCopy('not-onnx');
  await writeFile(path.join(dir, 'onnx', 'model.onnx'), words);
  await refused(['train', '--model', dir, '--layer', '0', '--text', 'a.txt'], /model\.onnx/);
});

test('a truncated model', async () => {
  const dir = await modelCopy('truncated');
  await truncate(path.join(dir, 'onnx', 'model.onnx'), 500_000);
  await refused(['train', '--model', dir, '--layer', '0', '--text', 'a.txt'], /model\.onnx/);
});

test('a hook point that the model does not have, with the nearest names', async () => {
  const args = ['train', '--model', tinyModel, '--text', 'a.txt', '--hook', 'blocks.1.hook_resid_psot'];
  await refused(args, /blocks\.1\.hook_resid_psot/, /blocks\.1\.hook_resid_post/);
});

test('a layer that the model does not have', async () => {
  await refused(['train', '--model', tinyModel, '--text', 'a.txt', '--layer', '4'], /no layer 4|layer 4 /i, /\b3\b/);
});

test('a model without its tokenizer', async () => {
  const dir = await modelCopy('no-tokenizer');
  await file('no-tokenizer/onnx/x', '');
  await cp(path.join(dir, 'onnx', 'model.onnx'), path.join(cwd, 'alone', 'model.onnx'));
  await refused(['train', '--model', 'alone', '--layer', '0', '--text', 'a.txt'], /tokenizer/);
});

test('a tokenizer of another model', async () => {
  const dir = await modelCopy('mismatch');
  await cp(path.join(demoModel, 'tokenizer.json'), path.join(dir, 'tokenizer.json'));
  await refused(['train', '--model', dir, '--layer', '0', '--text', 'a.txt'], /tokenizer|vocabulary/i);
});

test('text that is not there, empty, binary or not UTF-8', async () => {
  await refused(['train', ...tiny, '--text', 'nowhere.txt'], /nowhere\.txt/);
  await refused(['train', ...tiny, '--text', await file('empty.txt', '')], /empty/);
  await refused(['train', ...tiny, '--text', await file('zeros.txt', Buffer.alloc(5000))], /zeros\.txt/);
  const latin = Buffer.from(words.replaceAll('strong', 'trés fort'), 'latin1');
  await refused(['train', ...tiny, '--text', await file('latin.txt', latin)], /latin\.txt.*UTF-8|UTF-8.*latin\.txt/);
});

test('JSONL with a broken line, and which one', async () => {
  const line = JSON.stringify({ text: words });
  await refused(
    ['train', ...tiny, '--text', await file('b.jsonl', `${line}\n{"text": "half\n${line}\n`)],
    /b\.jsonl.*\b2\b/,
  );
  await refused(
    ['train', ...tiny, '--text', await file('c.jsonl', `${line}\n${line}\n{"body": 1}\n`)],
    /c\.jsonl.*\b3\b/,
  );
});

test('a configuration that is not there or not JSON, and where it breaks', async () => {
  await refused(['train', 'nowhere.sae.json'], /nowhere\.sae\.json/);
  await refused(
    ['train', await file('b.sae.json', '{\n  "k": 4,\n  "seed": 3\n  "name": "x"}\n')],
    /b\.sae\.json.*line [34]/,
  );
  await refused(['train', await file('c.sae.json', '[]')], /c\.sae\.json/);
});

test('a configuration with an unknown key, a wrong type or values that contradict each other', async () => {
  const config = (value: object) => file('d.sae.json', JSON.stringify(value));
  await refused(['train', await config({ latent_dmi: 64 })], /latent_dmi/, /latent_dim/);
  await refused(['train', await config({ latent_dim: '64' })], /latent_dim/);
  await refused(['train', await config({ k: 100, latent_dim: 64 })], /k is 100/);
  await refused(['train', await config({ layer_idx: 1, hook_name: 'x' })], /layer_idx.*hook_name/);
  await refused(['train', await config({ latent_dim: 64 }), '--k', '65'], /k is 65/);
});

test('sizes that fit in no memory, with what is needed and what would fit', async () => {
  await refused(['train', ...tiny, '--text', 'a.txt', '--latent-dim', '500000000'], /GB|GiB/, /\d/);
});

test('a batch larger than the text', async () => {
  await refused(['train', ...tiny, '--text', 'a.txt', '--batch-size', '1000000'], /batch_size.*1000000/);
});

test('recorded activations that cannot be used', async () => {
  const rows = Array.from({ length: 64 }, (_, i) => Array.from({ length: 8 }, (_, j) => Math.sin(i * 8 + j)));
  const parquet = (name: string, values: number[][], column = 'activation') => {
    const schema: SchemaElement[] = [
      { name: 'root', num_children: 1 },
      { name: column, repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
    ];
    return file(name, new Uint8Array(parquetWriteBuffer({ columnData: [{ name: column, data: values }], schema })));
  };
  const args = ['train', '--latent-dim', '16', '--k', '2', '--batch-size', '16', '--activations'];
  await refused([...args, 'nowhere.parquet'], /nowhere\.parquet/);
  await refused([...args, await file('text.parquet', words)], /text\.parquet/);
  const whole = await parquet('whole.parquet', rows);
  const half = (await readFile(path.join(cwd, whole))).subarray(0, 300);
  await refused([...args, await file('half.parquet', half)], /half\.parquet/);
  await refused([...args, await parquet('other.parquet', rows, 'x')], /activation/);
  const unequal = rows.map((row, i) => (i === 5 ? row.slice(1) : row));
  await refused([...args, await parquet('unequal.parquet', unequal)], /unequal\.parquet.*5|5.*unequal\.parquet/);
  const nan = rows.map((row, i) => (i === 7 ? row.map(() => NaN) : row));
  await refused([...args, await parquet('nan.parquet', nan)], /NaN.*7|7.*NaN|finite.*7|7.*finite/);
});

test('an output folder that is a file, is not empty or cannot be made', async () => {
  await file('used/notes.txt', 'mine');
  await refused(['train', ...tiny, '--text', 'a.txt', '--out', 'used'], /used.*not empty/);
  await refused(['train', ...tiny, '--text', 'a.txt', '--out', 'a.txt'], /a\.txt/);
  await refused(['train', ...tiny, '--text', 'a.txt', '--out', 'a.txt/run'], /a\.txt/);
});

test('an output folder that a live run holds', async () => {
  const dir = path.join(cwd, 'held');
  await mkdir(dir);
  const lock = await RunLock.acquire(dir);
  try {
    await refused(
      ['train', ...tiny, '--text', 'a.txt', '--out', 'held'],
      new RegExp(`held.*${process.pid}|${process.pid}.*held`),
    );
  } finally {
    lock.release();
  }
});

test('a folder that holds no run', async () => {
  await file('no-run/notes.txt', 'mine');
  await refused(['train', '--resume', 'no-run'], /no-run/);
  const { code, stderr } = await iw(cwd, 'show', 'no-run');
  assert.equal(code, 2);
  assert.match(stderr, /^error: .*no-run.*\nhint: /);
  await refused(['eval', 'no-run'], /no-run/);
});

test('a command line that makes no sense', async () => {
  await refused(['train', '--lyer', '2'], /--lyer/, /--layer/);
  await refused(['trian'], /trian/, /train/);
  await refused(['train', 'a.sae.json', 'b.sae.json'], /argument/);
  await refused(['train', '--layer'], /--layer/);
  await refused(['train', ...tiny, '--hook', 'h'], /layer_idx.*hook_name/);
  await refused(['train', '--model', tinyModel], /layer/, /iw hooks|hooks/);
  await refused(['train', '--resume', 'r', '--out', 'o'], /--out|output folder/);
  await refused(['extract', '--layer', '1'], /--out/);
});
