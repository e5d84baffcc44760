import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { encodeParquet } from '../../../src/engine/activations/parquet-write.js';
import { Random } from '../../../src/engine/random.js';
import { Cancelled, Control } from '../../../src/engine/control.js';
import { writeSaelens } from '../../../src/engine/sae/formats/saelens.js';
import { runEvaluate } from '../../../src/engine/tasks/evaluate.js';
import { writeFileAtomic } from '../../../src/run/atomic.js';
import { WorkbenchError, type ProblemCode } from '../../../src/shared/errors.js';
import type { EngineProgress } from '../../../src/shared/events.js';
import type { EvaluateTask } from '../../../src/shared/messages.js';

const root = mkdtempSync(path.join(tmpdir(), 'iw-evaluate-test-'));
after(() => {
  rmSync(root, { recursive: true });
});
const fixture = path.resolve('test/fixtures/tiny-sotu-gpt2');
/** Where the task puts its scratch folders: a place of its own, since other tests run beside this one. */
const temporary = path.join(root, 'tmp');
mkdirSync(temporary);
for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = temporary;
const scratchFolders = () => readdirSync(temporary).filter((name) => name.startsWith('iw-'));

const sentences = [
  'The state of the union is strong, and the people of this country know it.',
  'We will work with the Congress to bring down the cost of energy for every family.',
  'My fellow citizens, the year that has passed has tested us, and we have met the test.',
  'Let us build a lasting peace, and let us leave our children a better world.',
];
const text = path.join(root, 'speeches.jsonl');
writeFileSync(text, Array.from({ length: 20 }, (_, i) => `${JSON.stringify({ text: sentences[i % 4] })}\n`).join(''));

/** A run folder whose SAE reconstructs activations of this width exactly. */
async function runFolder(name: string, width: number, config: Record<string, unknown>): Promise<string> {
  const dir = path.join(root, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, 'config.sae.json'), JSON.stringify({ context_size: 16, ...config }));
  const encoder = new Float32Array(2 * width * width);
  for (let j = 0; j < width; j++) {
    encoder[j * width + j] = 1;
    encoder[(width + j) * width + j] = -1;
  }
  const weights = {
    architecture: 'standard' as const,
    width,
    latents: 2 * width,
    encoder,
    decoder: encoder,
    encoderBias: new Float32Array(2 * width),
    decoderBias: new Float32Array(width),
  };
  await writeSaelens(dir, weights, {
    model_name: null,
    hook_name: null,
    dataset_path: null,
    context_size: null,
    prepend_bos: null,
    exclude_special_tokens: true,
  });
  return dir;
}

function evaluate(task: Omit<EvaluateTask, 'kind'>, control = new Control(), report: EngineProgress[] = []) {
  const context = {
    log: () => undefined,
    control,
    report: (progress: EngineProgress) => report.push(progress),
    threads: 1,
  };
  return runEvaluate({ kind: 'evaluate', ...task }, context);
}

async function assertProblem(task: Omit<EvaluateTask, 'kind'>, code: ProblemCode, why: RegExp): Promise<void> {
  await assert.rejects(evaluate(task), (error: unknown) => {
    assert.ok(error instanceof WorkbenchError, String(error));
    assert.equal(error.problem.code, code);
    assert.match(error.problem.message, why);
    return true;
  });
  assert.deepEqual(scratchFolders(), []);
}

const onText = { model: fixture, layer_idx: 1, text: [text], held_out_fraction: 0.3 };

describe('evaluating a run folder', () => {
  it('measures its SAE on the documents that the run held out', async () => {
    const runDir = await runFolder('own', 64, onText);
    writeFileSync(path.join(runDir, 'evaluation.json'), JSON.stringify({ dead_features: 5 }));
    const reports: EngineProgress[] = [];
    const result = await evaluate({ runDir }, new Control(), reports);
    assert.ok(result.explained_variance! > 1 - 1e-9);
    assert.equal(result.dead_features, 5);
    assert.equal(result.dead_fraction, 5 / 128);
    assert.ok(Math.abs(result.cross_entropy!.loss_recovered! - 1) < 1e-4);
    assert.equal(result.text, 'documents held out of training');
    assert.deepEqual(result.notes, {});
    assert.deepEqual([...new Set(reports.map(({ phase }) => phase))], ['loading_model', 'tokenizing', 'evaluating']);
    assert.ok(reports.every(({ phase_progress: done }) => done >= 0 && done <= 100));
    assert.deepEqual(scratchFolders(), []);
    const all = await evaluate({ runDir, text: [text] });
    assert.ok(result.tokens < 0.5 * all.tokens, `${result.tokens} held out of ${all.tokens}`);
  });

  it('measures it on the text given, all of it', async () => {
    const runDir = await runFolder('given', 64, { ...onText, text: ['/no/longer/there.txt'] });
    const result = await evaluate({ runDir, text: [text], threads: 2 });
    assert.equal(result.text, text);
    assert.ok(result.tokens > 200 && result.cross_entropy!.tokens > result.tokens / 2);
    assert.equal(result.dead_features, null);
    assert.match(result.notes.dead_features!, /No training run/);
  });

  it('keeps to the limits of the run’s configuration', async () => {
    const limits = { evaluation_tokens: 100, cross_entropy_tokens: 0 };
    const runDir = await runFolder('limits', 64, { ...onText, ...limits });
    const result = await evaluate({ runDir });
    assert.ok(result.tokens > 50 && result.tokens <= 100);
    assert.equal(result.cross_entropy, null);
    assert.match(result.notes.cross_entropy!, /cross_entropy_tokens is 0/);
  });

  it('uses recorded activations where the run was trained on them', async () => {
    const file = path.join(root, 'activations.parquet');
    const count = 1000;
    const random = new Random(1, 'recorded');
    async function* rows() {
      await Promise.resolve();
      yield {
        count,
        sampleId: Int32Array.from({ length: count }, (_, i) => Math.floor(i / 50)),
        tokenPos: Int32Array.from({ length: count }, (_, i) => i % 50),
        tokenId: new Int32Array(count),
        activation: Float32Array.from({ length: count * 8 }, () => random.normal()),
      };
    }
    const shape = { width: 8, layer: 0, encoding: 'fixed' as const, textSnippets: false, metadata: {} };
    await writeFileAtomic(file, encodeParquet(rows(), shape));
    const runDir = await runFolder('recorded', 8, { activation_data_path: file, held_out_fraction: 0.2 });
    const result = await evaluate({ runDir });
    assert.equal(result.tokens, 200);
    assert.ok(result.explained_variance! > 1 - 1e-9);
    assert.equal(result.l0, 8);
    assert.match(result.notes.cross_entropy!, /without the model/);
    const other = await runFolder('recorded wide', 9, { activation_data_path: file });
    await assertProblem({ runDir: other }, 'resume_mismatch', /width 9, but these have width 8/);
    await assertProblem({ runDir, text: [text] }, 'run_unreadable', /names no model/);
  });

  it('refuses what does not fit together in a sentence, and leaves nothing behind', async () => {
    const runDir = await runFolder('bad', 63, onText);
    await assertProblem({ runDir }, 'resume_mismatch', /width 63, but these have width 64/);
    await assertProblem({ runDir: path.join(root, 'absent') }, 'config_invalid', /no configuration file/);
    const gone = await runFolder('gone', 64, { ...onText, model: path.join(root, 'no-model') });
    await assertProblem({ runDir: gone }, 'model_not_found', /no model/);
    const deep = await runFolder('deep', 64, { ...onText, layer_idx: 9 });
    await assertProblem({ runDir: deep }, 'hook_not_found', /9/);
    const nothing = await runFolder('nothing', 64, onText);
    rmSync(path.join(nothing, 'sae_weights.safetensors'));
    await assertProblem({ runDir: nothing }, 'run_unreadable', /sae_weights.safetensors .* does not exist/);
  });

  it('stops at the next chunk when it is cancelled', async () => {
    const runDir = await runFolder('cancelled', 64, onText);
    const control = new Control();
    control.cancel();
    await assert.rejects(evaluate({ runDir }, control), Cancelled);
    assert.deepEqual(scratchFolders(), []);
  });
});
