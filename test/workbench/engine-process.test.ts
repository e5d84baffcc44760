import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { WorkbenchError } from '../../src/shared/errors.js';
import type { TrainTask } from '../../src/shared/messages.js';
import { countMemoryKills } from '../../src/workbench/engine-death.js';
import { runTask } from '../../src/workbench/engine-process.js';
import { enginePath, longRun, smallRun, temporaryFolder } from './small-run.js';

const folder = temporaryFolder();
const hooks = { kind: 'hooks', model: smallRun.model! } as const;

function training(name: string): TrainTask {
  const runDir = path.join(folder, name);
  mkdirSync(runDir);
  return { kind: 'train', config: longRun, runDir, resume: false };
}

const fails = (result: Promise<unknown>, code: string, message: RegExp) =>
  assert.rejects(result, ({ problem }: WorkbenchError) => {
    assert.equal(problem.code, code);
    assert.match(problem.message, message);
    return true;
  });

test('a task’s result comes back from its own process, which is then gone', async () => {
  const lines: string[] = [];
  const running = runTask(
    hooks,
    { log: (component, level, message) => lines.push(`${component} ${level} ${message}`) },
    { enginePath },
  );
  assert.ok(getPriority(running.pid) > getPriority());
  const outcome = await running.result;
  assert.equal(outcome.status, 'completed');
  assert.ok(outcome.result.hooks.some(({ name }) => name === 'blocks.0.hook_resid_post'));
  assert.throws(() => process.kill(running.pid!, 0), { code: 'ESRCH' });
  assert.ok(lines.some((line) => line.startsWith('model INFO')));
});

test('a task’s own problem arrives as it was thrown', async () => {
  const { result } = runTask({ ...hooks, model: path.join(folder, 'none') }, {}, { enginePath });
  await fails(result, 'model_not_found', /none/);
});

test('an engine that is killed is reported and not silently replaced', async () => {
  const running = runTask(
    training('killed'),
    { progress: ({ status }) => status === 'training' && process.kill(running.pid!, 'SIGKILL') },
    { enginePath },
  );
  await fails(running.result, countMemoryKills() === null ? 'out_of_memory' : 'engine_crashed', /killed|SIGKILL/);
});

test('an engine whose heap is too small is recognised as out of memory', async () => {
  const lines: string[] = [];
  const log = (_component: string, level: string, _message: string, stack?: string) => {
    if (level === 'ERROR') lines.push(stack ?? '');
  };
  await fails(
    runTask(training('heap'), { log }, { enginePath, heapMegabytes: 8 }).result,
    'out_of_memory',
    /heap is full/,
  );
  assert.match(lines.join('\n'), /heap/i);
});

test('an engine program that does not start is reported with Node’s own reason', async () => {
  const missing = path.join(folder, 'no-engine.js');
  await fails(runTask(hooks, {}, { enginePath: missing }).result, 'engine_crashed', /exit code 1.*Cannot find module/);
});

test('a cancelled training ends with a checkpoint', async () => {
  const running = runTask(
    training('cancelled'),
    {
      progress: ({ step }) => {
        if (step > 0) running.cancel();
      },
    },
    { enginePath },
  );
  const outcome = await running.result;
  assert.equal(outcome.status, 'cancelled');
  assert.ok(outcome.checkpoint !== null && existsSync(outcome.checkpoint));
});

test('pause, resume and a resume that overtakes its pause all answer', async () => {
  const told: string[] = [];
  let trained: () => void = () => undefined;
  const training1 = new Promise<void>((resolve) => (trained = resolve));
  const running = runTask(
    training('paused'),
    {
      progress: ({ status }) => {
        if (status === 'training') trained();
      },
      paused: () => told.push('paused'),
      resumed: () => told.push('resumed'),
    },
    { enginePath },
  );
  await training1;
  await running.pause();
  await running.pause();
  assert.deepEqual(told, ['paused']);
  await running.resume();
  assert.deepEqual(told, ['paused', 'resumed']);
  const overtaken = running.pause();
  await running.resume();
  await overtaken;
  running.kill();
  assert.deepEqual(await running.result, { status: 'cancelled', checkpoint: null });
  await running.pause();
  await running.resume();
});

test('the environment of the running engine has no NODE_OPTIONS', { skip: process.platform !== 'linux' }, async () => {
  process.env.NODE_OPTIONS = '--no-warnings';
  const running = runTask(hooks, {}, { enginePath });
  delete process.env.NODE_OPTIONS;
  const environment = readFileSync(`/proc/${running.pid}/environ`, 'utf8').split('\0');
  await running.result;
  assert.ok(environment.some((entry) => entry.startsWith('PATH=')));
  assert.ok(!environment.some((entry) => entry.startsWith('NODE_OPTIONS=')));
});
