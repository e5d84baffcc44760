import { accessSync, constants, statSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { version } from '../../../package.json';
import { writeFileAtomic } from '../../run/atomic.js';
import { inputError } from '../../shared/errors.js';
import type { ExtractResult, ExtractTask } from '../../shared/messages.js';
import { bytesNeeded, checkDiskSpace, formatBytes } from '../activations/disk-space.js';
import { extractBatches, type ExtractedBatch } from '../activations/extract.js';
import { encodeParquet, type RecordedRows } from '../activations/parquet-write.js';
import type { TaskContext } from '../context.js';
import { contextSize, openModel, textFiles, tokenize, type OpenedModel } from '../data/language-data.js';
import { hashFile } from '../data/provenance.js';
import { Progress } from '../progress.js';
import type { Contexts } from '../text/contexts.js';

/** Tokens of a text snippet, the row's own one last. */
const snippetTokens = 16;

/**
 * Records a hook point's activations of a text in a Parquet file: `iw extract`. A sample is a document; positions count its
 * tokens, BOS left out. The file appears when it is complete.
 *
 * @throws WorkbenchError where model, text or output cannot be used; Cancelled.
 */
export async function runExtract(task: ExtractTask, context: TaskContext): Promise<ExtractResult> {
  const { config } = task;
  const { control, log } = context;
  const out = resolve(task.out);
  checkOutput(out);
  const progress = new Progress(context.report);
  progress.begin('preparing', 'loading_model');
  const opened = await openModel(config, config.threads ?? context.threads);
  const scratch = await mkdtemp(join(tmpdir(), 'iw-extract-'));
  let contexts: Contexts | undefined;
  try {
    contexts = await tokenize(config, opened, { dir: scratch, control, progress });
    const [list, rows] = upTo(contexts, config.max_tokens ?? Infinity);
    const { width } = opened.model;
    const bytes = bytesNeeded(rows, width, 'float32');
    await checkDiskSpace(dirname(out), bytes, 'Free some space, write elsewhere, or record fewer tokens.', 'out');
    log(
      'model',
      'INFO',
      `Recording ${rows} activations of ${opened.hook.name}, about ${formatBytes(bytes)}, in ${out}`,
    );
    progress.begin('preparing', 'extracting', list.length);
    const shape = {
      width,
      layer: opened.hook.layer ?? -1,
      encoding: task.encoding,
      textSnippets: task.textSnippets,
      metadata: await describe(task, opened),
    };
    await writeFileAtomic(out, encodeParquet(record(task, opened, contexts, list, context, progress), shape));
    return { path: out, rows, width, bytes: (await stat(out)).size };
  } finally {
    contexts?.close();
    await opened.model.dispose();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Better to say it now than after an hour's work. */
function checkOutput(out: string): void {
  const folder = dirname(out);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw inputError('output_unusable', `There is no folder ${folder}.`, 'Make it first, or write elsewhere.', 'out');
  }
  if (statSync(out, { throwIfNoEntry: false })?.isDirectory()) {
    throw inputError(
      'output_unusable',
      `${out} is a folder.`,
      'Name a file in it, such as activations.parquet.',
      'out',
    );
  }
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw inputError('output_unusable', `${folder} cannot be written.`, 'Choose another folder.', 'out');
  }
}

/** The first contexts that have `most` rows together, and those rows. */
function upTo(contexts: Contexts, most: number): [Uint32Array, number] {
  let count = 0;
  let rows = 0;
  while (count < contexts.count && rows < most) rows += contexts.rowCount(count++);
  return [Uint32Array.from({ length: count }, (_, i) => i), rows];
}

async function* record(
  task: ExtractTask,
  opened: OpenedModel,
  contexts: Contexts,
  list: Uint32Array,
  { control }: TaskContext,
  progress: Progress,
): AsyncGenerator<RecordedRows, void, undefined> {
  let done = 0;
  for await (const batch of extractBatches(opened.model, contexts, list, control)) {
    yield recordedRows(batch, contexts, opened, task);
    done += batch.contexts.length;
    progress.advance(done);
  }
}

function recordedRows(
  { contexts: batch, rows, count }: ExtractedBatch,
  contexts: Contexts,
  { tokenizer }: OpenedModel,
  { config, textSnippets }: ExtractTask,
): RecordedRows {
  const sampleId = new Int32Array(count);
  const tokenPos = new Int32Array(count);
  const tokenId = new Int32Array(count);
  const textSnippet: string[] = [];
  // Positions of a context count its BOS, those of its document do not.
  const lead = config.prepend_bos !== false && tokenizer.bosId !== null ? 1 : 0;
  let row = 0;
  for (const context of batch) {
    const ids = contexts.ids(context);
    for (const position of contexts.rowPositions(context)) {
      sampleId[row] = contexts.document(context);
      tokenPos[row] = contexts.start(context) + position - lead;
      tokenId[row] = ids[position]!;
      row++;
      if (!textSnippets) continue;
      const first = Math.max(lead, position + 1 - snippetTokens);
      textSnippet.push(tokenizer.decode(Array.from(ids.subarray(first, position + 1))));
    }
  }
  return { count, sampleId, tokenPos, tokenId, activation: rows, ...(textSnippets ? { textSnippet } : {}) };
}

/** What the file's footer says about where its rows are from. */
async function describe({ config }: ExtractTask, opened: OpenedModel): Promise<Record<string, string>> {
  const { files, hook, model, tokenizer } = opened;
  const texts = await Promise.all(textFiles(config).map(({ path }) => hashFile(path)));
  return {
    model: files.name,
    model_sha256: (await hashFile(files.onnx)).sha256,
    hook_name: hook.name,
    d_in: String(model.width),
    dtype: 'float32',
    tokenizer: tokenizer.sha256,
    context_size: String(contextSize(config, model)),
    text: JSON.stringify(texts.map(({ path, sha256 }) => ({ file: basename(path), sha256 }))),
    version,
  };
}
