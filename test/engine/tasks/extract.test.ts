import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { importActivations } from '../../../src/engine/activations/parquet-read.js';
import type { TaskContext } from '../../../src/engine/context.js';
import { Cancelled, Control } from '../../../src/engine/control.js';
import { locateModel } from '../../../src/engine/model/files.js';
import { loadTokenizer } from '../../../src/engine/model/tokenizer.js';
import { runExtract } from '../../../src/engine/tasks/extract.js';
import type { SaeConfig } from '../../../src/shared/config.js';
import { WorkbenchError } from '../../../src/shared/errors.js';
import type { EngineProgress } from '../../../src/shared/events.js';
import { temporaryFolder } from '../activations/temporary.js';

const model = join(__dirname, '../../fixtures/tiny-sotu-gpt2');
const texts = [
  'The state of our union is strong. We have been tested, and we have come through.',
  'Congress should act now.',
  'I ask you to join me in this work, which is the work of all Americans, in this year and in the next.',
];

function setting(): { dir: string; config: SaeConfig } {
  const dir = temporaryFolder();
  const file = join(dir, 'text.jsonl');
  writeFileSync(file, texts.map((text) => JSON.stringify({ text })).join('\n'));
  return { dir, config: { model, layer_idx: 2, text: [file], context_size: 16, threads: 1 } };
}

function context(control = new Control(), reports: EngineProgress[] = []): TaskContext {
  return { control, threads: 1, log: () => undefined, report: (progress) => reports.push(progress) };
}

interface Row {
  sample_id: number;
  token_pos: number;
  token_id: number;
  layer_idx: number;
  activation: number[];
  text_snippet: string;
}

async function read(path: string): Promise<{ rows: Row[]; footer: Record<string, string | undefined> }> {
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { key_value_metadata: pairs = [] } = await parquetMetadataAsync(file);
  const footer = Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
  return { rows: (await parquetReadObjects({ file })) as Row[], footer };
}

test('every token of every document becomes a row, but for first positions, with its place and its text', async () => {
  const { dir, config } = setting();
  const out = join(dir, 'out.parquet');
  const reports: EngineProgress[] = [];
  const task = { kind: 'extract', config, out, encoding: 'list', textSnippets: true } as const;
  const result = await runExtract(task, context(new Control(), reports));
  const { rows, footer } = await read(out);
  assert.deepEqual({ ...result, bytes: 0 }, { path: out, rows: rows.length, width: 64, bytes: 0 });
  assert.equal(result.bytes, readFileSync(out).length);

  const tokenizer = loadTokenizer(locateModel(model));
  const documents = texts.map((text) => tokenizer.encoder()(text));
  for (const row of rows) {
    const document = documents[row.sample_id]!;
    assert.equal(row.token_id, document[row.token_pos]);
    assert.equal(row.layer_idx, 2);
    assert.equal(row.activation.length, 64);
    const end = tokenizer.decode(document.slice(0, row.token_pos + 1));
    assert.ok(end.endsWith(row.text_snippet) && row.text_snippet.length > 0, row.text_snippet);
  }
  const places = new Set(rows.map((row) => `${row.sample_id} ${row.token_pos}`));
  assert.equal(places.size, rows.length, 'no position twice');
  const tokens = documents.reduce((sum, document) => sum + document.length, 0);
  assert.ok(rows.length > 0.9 * tokens - documents.length && rows.length <= tokens);

  assert.equal(footer.model, 'tiny-sotu-gpt2');
  assert.equal(footer.hook_name, 'blocks.2.hook_resid_post');
  assert.equal(footer.d_in, '64');
  assert.equal(footer.context_size, '16');
  assert.match(footer.tokenizer!, /^[0-9a-f]{64}$/);
  assert.match(footer.text!, /"file":"text.jsonl","sha256":"[0-9a-f]{64}"/);
  const phases = [...new Set(reports.map((report) => report.phase))];
  assert.deepEqual(phases, ['loading_model', 'tokenizing', 'extracting']);
});

test('what was recorded comes back for training, whole documents held out', async () => {
  const { dir, config } = setting();
  const out = join(dir, 'out.parquet');
  const result = await runExtract({ kind: 'extract', config, out, encoding: 'fixed', textSnippets: false }, context());
  const store = await importActivations({
    path: out,
    dir: temporaryFolder(),
    dtype: 'float32',
    layer: 2,
    heldOutFraction: 0.2,
    seed: 0,
    control: new Control(),
    onProgress: () => undefined,
  });
  assert.equal(store.rows, result.rows);
  const samples = (groups: Uint32Array) => new Set([...groups].map((group) => store.group(group).sample));
  const [train, held] = [samples(store.trainGroups), samples(store.heldOutGroups)];
  assert.equal(train.size + held.size, 3);
  assert.ok(train.size > 0 && held.size > 0);
  await store.close();
});

test('max_tokens ends the recording after the context that reaches it', async () => {
  const { dir, config } = setting();
  const out = join(dir, 'out.parquet');
  const limited = { ...config, max_tokens: 20 };
  const task = { kind: 'extract', config: limited, out, encoding: 'fixed', textSnippets: false } as const;
  const { rows } = await runExtract(task, context());
  assert.ok(rows >= 20 && rows < 36, `${rows} rows`);
});

test('a cancelled recording leaves nothing behind', async () => {
  const { dir, config } = setting();
  const control = new Control();
  const cancelling = {
    ...context(control),
    report: ({ phase }: EngineProgress) => {
      if (phase === 'extracting') control.cancel();
    },
  };
  const out = join(dir, 'out.parquet');
  const task = { kind: 'extract', config, out, encoding: 'fixed', textSnippets: false } as const;
  await assert.rejects(runExtract(task, cancelling), Cancelled);
  assert.deepEqual(readdirSync(dir), ['text.jsonl']);
});

test('an output that cannot be written is refused before the model is loaded', async () => {
  const { dir, config } = setting();
  mkdirSync(join(dir, 'folder'));
  for (const [out, sentence] of [
    [join(dir, 'absent', 'out.parquet'), /There is no folder .*absent\./],
    [join(dir, 'folder'), /is a folder\./],
  ] as const) {
    const reports: EngineProgress[] = [];
    const task = { kind: 'extract', config, out, encoding: 'fixed', textSnippets: false } as const;
    await assert.rejects(runExtract(task, context(new Control(), reports)), (error: unknown) => {
      assert.ok(error instanceof WorkbenchError);
      assert.equal(error.problem.code, 'output_unusable');
      assert.match(error.message, sentence);
      return true;
    });
    assert.deepEqual(reports, []);
  }
});
