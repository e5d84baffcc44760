import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { lockPath, saeLensConfigPath, weightsPath } from '../../src/run/layout.js';
import { RunLock } from '../../src/run/lock.js';
import type { WorkbenchError } from '../../src/shared/errors.js';
import { JobManager } from '../../src/workbench/jobs.js';
import { deleteRun, exportSae } from '../../src/workbench/run-files.js';
import { contents } from '../cli/cli.js';
import { enginePath, smallRun, temporaryFolder } from './small-run.js';

const folder = temporaryFolder();
const fresh = () => mkdtempSync(path.join(folder, 'case-'));

async function completedRun(): Promise<string> {
  const jobs = new JobManager({ log: () => undefined, enginePath, runsFolder: fresh() });
  const job = await jobs.start(smallRun);
  assert.equal((await job.ended).status, 'completed');
  return job.runDir;
}

const refuses = (doing: Promise<unknown>, code: string) =>
  assert.rejects(doing, ({ problem }: WorkbenchError) => {
    assert.equal(problem.code, code);
    assert.notEqual(problem.hint, '');
    return true;
  });

test('an exported SAE is the run’s own, byte for byte, and nothing else', async () => {
  const dir = await completedRun();
  const target = path.join(fresh(), 'made', 'for it');
  await exportSae(dir, target);
  assert.deepEqual(readdirSync(target).sort(), ['cfg.json', 'sae_weights.safetensors']);
  for (const file of [saeLensConfigPath(dir), weightsPath(dir)])
    assert.deepEqual(readFileSync(path.join(target, path.basename(file))), readFileSync(file));

  writeFileSync(path.join(target, 'cfg.json'), 'another one');
  writeFileSync(path.join(target, 'notes.txt'), 'mine');
  await refuses(exportSae(dir, target), 'output_unusable');
  assert.equal(readFileSync(path.join(target, 'cfg.json'), 'utf8'), 'another one');
  await exportSae(dir, target, { overwrite: true });
  assert.deepEqual(readFileSync(path.join(target, 'cfg.json')), readFileSync(saeLensConfigPath(dir)));
  assert.deepEqual(readdirSync(target).sort(), ['cfg.json', 'notes.txt', 'sae_weights.safetensors']);

  await refuses(exportSae(dir, path.join(target, 'notes.txt')), 'output_unusable');
  rmSync(weightsPath(dir));
  await refuses(exportSae(dir, fresh()), 'run_unreadable');
});

test('a deleted run is gone, and what an earlier deletion left beside it too', async () => {
  const dir = await completedRun();
  const base = path.dirname(dir);
  mkdirSync(path.join(base, '.deleted-999999999-half'));
  writeFileSync(path.join(base, '.deleted-999999999-half', 'job.json'), '{}');
  await deleteRun(dir);
  assert.deepEqual(readdirSync(base), ['.gitignore']);
});

test('a run that is held, a folder that is no run, and one that cannot be moved stay', async () => {
  const dir = await completedRun();
  const files = await contents(dir);
  const lock = await RunLock.acquire(dir);
  await refuses(deleteRun(dir), 'run_in_use');
  lock.release();
  const failing = () => Promise.reject(Object.assign(new Error('no trash here'), { code: 'EPERM' }));
  await refuses(deleteRun(dir, failing), 'output_unusable');
  assert.ok(!existsSync(lockPath(dir)));
  assert.deepEqual(await contents(dir), files);

  const other = fresh();
  writeFileSync(path.join(other, 'thesis.txt'), 'mine');
  await refuses(deleteRun(other), 'run_unreadable');
  assert.deepEqual(readdirSync(other), ['thesis.txt']);
});
