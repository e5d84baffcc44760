import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { formatBytes } from '../../../src/engine/activations/disk-space.js';
import { readConfigFile } from '../../../src/run/config-file.js';
import { configPath } from '../../../src/run/layout.js';
import { resolveConfig, type SaeConfig } from '../../../src/shared/config.js';
import { WorkbenchError, type Problem } from '../../../src/shared/errors.js';
import type { Estimate, EstimateTask, Task } from '../../../src/shared/messages.js';
import { memoryNeeded } from '../../../src/shared/memory.js';
import { runTask } from '../../../src/workbench/engine-process.js';
import { enginePath, root, smallRun, temporaryFolder } from '../../workbench/small-run.js';

const folder = temporaryFolder();

async function estimate(config: SaeConfig): Promise<Estimate> {
  const outcome = await runTask({ kind: 'estimate', config } satisfies EstimateTask, {}, { enginePath }).result;
  assert.ok(outcome.status === 'completed');
  return outcome.result;
}

/** Trains in a new folder. */
async function train(name: string, config: SaeConfig): Promise<string> {
  const runDir = path.join(folder, name);
  const outcome = await runTask({ kind: 'train', config, runDir, resume: false }, {}, { enginePath }).result;
  assert.equal(outcome.status, 'completed');
  return runDir;
}

const fixture = (name: string) => path.join(root, 'test', 'fixtures', 'activations', `${name}.parquet`);
const recorded = { latent_dim: 8, k: 2, batch_size: 8, max_epochs: 2, threads: 1 };

const runs: Record<string, SaeConfig> = {
  'text in three epochs': smallRun,
  'text read once': { ...smallRun, max_epochs: 1 },
  'text of which nothing is held out': { ...smallRun, held_out_fraction: 0, max_tokens: 500 },
  'recorded samples': { ...recorded, activation_data_path: fixture('list-float-zstd-dictionary') },
  'the first recorded samples': {
    ...recorded,
    activation_data_path: fixture('list-float-zstd-dictionary'),
    max_samples: 3,
    held_out_fraction: 0.5,
  },
  'recorded rows without samples': { ...recorded, activation_data_path: fixture('rows-across-pages'), max_samples: 41 },
  'one recorded layer': { ...recorded, activation_data_path: fixture('layers'), layer_idx: 2 },
};

for (const [name, config] of Object.entries(runs)) {
  test(`the estimate foresees what a training does: ${name}`, async () => {
    const foreseen = await estimate(config);
    const runDir = await train(name.replaceAll(' ', '-'), config);
    const { provenance, ...done } = await readConfigFile(configPath(runDir));
    assert.ok(provenance);
    assert.deepEqual(JSON.parse(JSON.stringify(foreseen.config)), done);
    assert.ok(foreseen.exact);
    const { width, tokens_per_epoch: perEpoch, steps, tokens, seconds, seconds_by_phase: byPhase } = foreseen;
    assert.equal(tokens, steps * done.batch_size!);
    assert.ok(tokens <= done.max_tokens! && steps > 0);
    assert.equal(foreseen.memory_bytes, memoryNeeded(foreseen.config, width, perEpoch).total);
    assert.ok(foreseen.disk_bytes > statSync(path.join(runDir, 'sae_weights.safetensors')).size);
    const rates = foreseen.tokens_per_second;
    assert.ok(Math.abs((rates.both * (byPhase.extracting + byPhase.training)) / tokens - 1) < 1e-9);
    // A training that keeps no activations also computes them in between.
    assert.ok(rates.training * byPhase.training >= tokens * (1 - 1e-9), JSON.stringify(rates));
    assert.ok(rates.extracting * byPhase.extracting >= Math.min(tokens, perEpoch) * (1 - 1e-9), JSON.stringify(rates));
    const sum = Object.values(byPhase).reduce((total, each) => total + each, 0);
    assert.ok(
      Math.abs(sum - seconds) < 1e-9 && byPhase.training > 0 && byPhase.extracting > 0,
      JSON.stringify(byPhase),
    );
    assert.ok(
      Object.values(byPhase).every((each) => Number.isFinite(each) && each >= 0),
      JSON.stringify(byPhase),
    );
  });
}

test('of a long text a sample tells how much there is', async () => {
  const sentence = 'The quick brown fox jumps over the lazy dog, and the dog does not mind it at all.';
  const texts = path.join(folder, 'texts');
  mkdirSync(texts);
  const write = (name: string, documents: number) => {
    const lines = Array.from({ length: documents }, () => JSON.stringify({ text: sentence }));
    writeFileSync(path.join(texts, name), lines.join('\n'));
  };
  write('few.jsonl', 100);
  const config = { ...smallRun, max_samples: undefined, held_out_fraction: 0 };
  const few = await estimate({ ...config, text: [path.join(texts, 'few.jsonl')], batch_size: 100 });
  assert.ok(few.exact);
  for (let i = 0; i < 10; i++) write(`many-${i}.jsonl`, 30_000);
  const many = await estimate({ ...config, text: [texts] });
  assert.ok(!many.exact);
  const expected = few.tokens_per_epoch * (1 + 3000);
  assert.ok(Math.abs(many.tokens_per_epoch / expected - 1) < 0.02, `${many.tokens_per_epoch} of ${expected}`);
});

/** The problem that a task ends with. */
async function problemOf(task: Task): Promise<Problem> {
  const error: unknown = await runTask(task, {}, { enginePath }).result.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof WorkbenchError, String(error));
  return error.problem;
}

test('what cannot be trained is refused in the words of the training', async () => {
  const unusable: SaeConfig[] = [
    { ...smallRun, model: path.join(folder, 'none') },
    { ...smallRun, layer_idx: 99 },
    { ...smallRun, text: [path.join(folder, 'none.txt')] },
    { ...smallRun, context_size: 100_000 },
    { ...smallRun, latent_dim: 100_000_000 },
    { ...smallRun, batch_size: 1_000_000 },
    { ...recorded, activation_data_path: fixture('layers') },
    { ...recorded, activation_data_path: fixture('bad-text') },
  ];
  for (const [i, config] of unusable.entries()) {
    const runDir = path.join(folder, `unusable-${i}`);
    const said = await problemOf({ kind: 'estimate', config });
    assert.deepEqual(said, await problemOf({ kind: 'train', config, runDir, resume: false }));
    assert.ok(said.input, said.message);
  }
});

test('a memory limit below the machine’s is kept, and named', async () => {
  // 2^15 latents fit beside no shuffle buffer at all: not in any training
  const resolved = resolveConfig({ ...smallRun, latent_dim: 2 ** 15 }, 64, Infinity);
  const memoryLimitBytes = Math.round(memoryNeeded(resolved, 64, 0).total + 1e5);
  const limited = { config: { ...smallRun, latent_dim: 2 ** 17 }, memoryLimitBytes };
  const said = await problemOf({ kind: 'train', ...limited, runDir: path.join(folder, 'limited'), resume: false });
  assert.equal(said.code, 'too_large');
  assert.ok(said.message.endsWith(`the memory limit is ${formatBytes(memoryLimitBytes)}.`), said.message);
  assert.match(said.hint, /A latent_dim of \d+ fits\. Or raise the memory limit\./);
  assert.deepEqual(await problemOf({ kind: 'estimate', ...limited }), said);
  const fits = Number(/\d+/.exec(said.hint)![0]);
  await estimate({ ...smallRun, latent_dim: fits });
  const outcome = await runTask(
    { kind: 'estimate', config: { ...smallRun, latent_dim: fits }, memoryLimitBytes },
    {},
    { enginePath },
  ).result;
  assert.equal(outcome.status, 'completed');
});

test('an estimate that is cancelled stops between two pieces of work and leaves nothing behind', async () => {
  const temporary = path.join(folder, 'tmp');
  mkdirSync(temporary);
  const { TMPDIR: before } = process.env;
  process.env.TMPDIR = temporary;
  try {
    const config: SaeConfig = { ...smallRun, latent_dim: 65_536, batch_size: 1024, max_samples: 100 };
    const running = runTask(
      { kind: 'estimate', config },
      {
        log: (_, __, message) => {
          if (message.startsWith('Trying steps')) running.cancel();
        },
      },
      { enginePath },
    );
    const asked = performance.now();
    assert.deepEqual(await running.result, { status: 'cancelled', checkpoint: null });
    assert.ok(performance.now() - asked < 60_000);
    // neither its own files nor what ONNX Runtime would keep for its telemetry
    assert.deepEqual(readdirSync(temporary), []);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});
