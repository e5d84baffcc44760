import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { SaeConfig } from '../../../src/shared/config.js';
import type { EngineProgress, Phase } from '../../../src/shared/events.js';
import { runTask } from '../../../src/workbench/engine-process.js';
import { enginePath, smallRun, temporaryFolder } from '../../workbench/small-run.js';

test('what depends on the size of the text is judged when that is known', async () => {
  const runDir = path.join(temporaryFolder(), 'run');
  // a buffer that would take 256 GB if the text filled it
  const config = { ...smallRun, batch_size: undefined, max_tokens: 600, shuffle_buffer_tokens: 1e9 };
  const task = { kind: 'train' as const, config, runDir, resume: false };
  const { status } = await runTask(task, {}, { enginePath }).result;
  assert.equal(status, 'completed');
  const resolved = JSON.parse(readFileSync(path.join(runDir, 'config.sae.json'), 'utf8')) as { batch_size: number };
  assert.equal(resolved.batch_size, 600);
});

const folder = temporaryFolder();
const otherText = path.join(folder, 'other.txt');
writeFileSync(otherText, 'Another text altogether, long enough to train on. '.repeat(200));

function train(runDir: string, config: SaeConfig, resume: boolean, cancelIn?: Phase, phases = new Set<Phase>()) {
  const task = { kind: 'train' as const, config, runDir, resume };
  const progress = ({ phase }: EngineProgress) => {
    phases.add(phase);
    if (phase === cancelIn) engine.cancel();
  };
  const engine = runTask(task, { progress }, { enginePath });
  return engine.result;
}

test('a resume with another text is refused before it touches what the run has cached', async () => {
  const runDir = path.join(folder, 'refused');
  assert.equal((await train(runDir, smallRun, false, 'training')).status, 'cancelled');
  const before = readdirSync(path.join(runDir, 'cache'));
  const other = train(runDir, { ...smallRun, text: [otherText] }, true);
  await assert.rejects(other, /The text is not the one this run was started with/);
  assert.deepEqual(readdirSync(path.join(runDir, 'cache')), before);
  assert.equal((await train(runDir, smallRun, true)).status, 'completed');
});

test('a run stopped before it had recorded its text goes on with the text it is given', async () => {
  const weights = (runDir: string) => readFileSync(path.join(runDir, 'sae_weights.safetensors'));
  const [stopped, straight] = [path.join(folder, 'stopped'), path.join(folder, 'straight')];
  const changed = { ...smallRun, text: [otherText] };
  assert.equal((await train(stopped, smallRun, false, 'extracting')).status, 'cancelled');
  await train(stopped, changed, true);
  await train(straight, changed, false);
  assert.deepEqual(weights(stopped), weights(straight));
});

test('a resume says that it extracts again what its shuffle buffer held', async () => {
  const runDir = path.join(folder, 'streamed');
  const streamed: SaeConfig = { ...smallRun, activation_cache: 'none' };
  assert.equal((await train(runDir, streamed, false, 'training')).status, 'cancelled');
  const phases = new Set<Phase>();
  await train(runDir, streamed, true, undefined, phases);
  assert.deepEqual(
    [...phases],
    ['loading_model', 'tokenizing', 'extracting', 'training', 'evaluating', 'features', 'saving'],
  );
});
