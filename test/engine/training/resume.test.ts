import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import type { SaeConfig } from '../../../src/shared/config.js';
import { runTask } from '../../../src/workbench/engine-process.js';
import { repeats } from '../../soak.js';
import { enginePath, smallRun, temporaryFolder } from '../../workbench/small-run.js';

// A checkpoint after every step: whatever the moment of the kill, there is something to resume from.
const stored: SaeConfig = { ...smallRun, max_samples: 6, checkpoint_seconds: 0, log_every_steps: 3, seed: 7 };
const streamed: SaeConfig = { ...stored, activation_cache: 'none', shuffle_buffer_tokens: 700 };
const standard: SaeConfig = { ...stored, architecture: 'standard', activation_cache: 'float16', k: undefined };

const folder = temporaryFolder();
const weights = (runDir: string) => readFileSync(path.join(runDir, 'sae_weights.safetensors'));
const steps = (runDir: string) =>
  readFileSync(path.join(runDir, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { step: number }).step);

/** Runs a job, killing or cancelling the engine when `stop` says so; true if it ran to its end. */
async function attempt(
  config: SaeConfig,
  runDir: string,
  resume: boolean,
  stop?: { how: 'kill' | 'cancel'; after: number },
): Promise<boolean> {
  let events = 0;
  const task = { kind: 'train' as const, config, runDir, resume };
  const engine = runTask(
    task,
    {
      progress: () => {
        if (++events === stop?.after) engine[stop.how]();
      },
    },
    { enginePath },
  );
  try {
    return (await engine.result).status === 'completed';
  } catch (error) {
    if (stop?.how === 'kill') return false;
    throw error;
  }
}

const whole = new Map<SaeConfig, { weights: Buffer; steps: number[]; events: number }>();

before(async () => {
  for (const [i, config] of [stored, streamed, standard].entries()) {
    const runDir = path.join(folder, `whole-${i}`);
    let events = 0;
    const engine = runTask(
      { kind: 'train', config, runDir, resume: false },
      { progress: () => events++ },
      { enginePath },
    );
    await engine.result;
    whole.set(config, { weights: weights(runDir), steps: steps(runDir), events });
  }
});

const names = new Map([
  [stored, 'a stored run'],
  [streamed, 'a run that extracts as it trains'],
  [standard, 'a standard run with a float16 cache'],
]);

/** Runs a job that is stopped at up to three random moments, then lets it finish, and compares it with the whole one. */
async function survives(config: SaeConfig, how: 'kill' | 'cancel', runDir: string): Promise<void> {
  const expected = whole.get(config)!;
  const moments: number[] = [];
  let done = false;
  while (!done && moments.length < 3) {
    moments.push(1 + Math.floor(Math.random() * expected.events));
    done = await attempt(config, runDir, moments.length > 1, { how, after: moments.at(-1)! });
  }
  if (!done) done = await attempt(config, runDir, true);
  assert.ok(done);
  const told = `stopped after ${moments.join(', ')} events`;
  assert.ok(weights(runDir).equals(expected.weights), `the weights differ; ${told}`);
  assert.deepEqual(steps(runDir), expected.steps, told);
}

for (const how of ['kill', 'cancel'] as const) {
  for (const [config, name] of names) {
    test(`${name}, stopped by ${how} at random moments, ends with the weights of a whole one`, async () => {
      for (let round = 0; round < repeats(1, 30); round++) {
        await survives(config, how, path.join(folder, `${how}-${round}-${name.replaceAll(' ', '-')}`));
      }
    });
  }
}

test('another seed gives other weights', async () => {
  const runDir = path.join(folder, 'seed');
  assert.ok(await attempt({ ...stored, seed: 8 }, runDir, false));
  assert.ok(!weights(runDir).equals(whole.get(stored)!.weights));
});
