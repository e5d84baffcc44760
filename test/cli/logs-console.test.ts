import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { iw, start, temporaryFolder, tinyModel } from './cli.js';

const cwd = temporaryFolder();
const train = [
  ...['train', '--model', tinyModel, '--layer', '1', '--k', '4', '--max-samples', '5', '--batch-size', '256'],
  ...['--latent-dim', '64', '--epochs', '2', '--threads', '1'],
];
const records = (text: string) => text.split('\n').filter((line) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - /.test(line));

test('the console shows what the file has, from INFO up, until the command tells the end itself', async () => {
  const { code, stderr } = await iw(cwd, ...train, '--out', 'one');
  assert.equal(code, 0, stderr);
  const inFile = records(readFileSync(path.join(cwd, 'logs', 'api.log'), 'utf8'));
  assert.ok(inFile.some((line) => line.includes(' - DEBUG - ')));
  assert.equal(inFile.filter((line) => / - training - INFO - Epoch \d\/2: train_loss=/.test(line)).length, 2);
  const worthShowing = inFile.filter((line) => !line.includes(' - DEBUG - '));
  assert.match(worthShowing.pop()!, / - training - INFO - Job .* is complete/);
  assert.deepEqual(records(stderr), worthShowing);
});

// A private mount needs Linux and a kernel that lets this user have one.
const mounts = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', cwd]).status === 0;
const skip = mounts ? false : 'no small file system can be mounted here (needs Linux user namespaces)';

test('where the log folder has no space at all, training goes on with one warning', { skip }, async () => {
  const full = path.join(cwd, 'full');
  mkdirSync(path.join(full, 'logs'), { recursive: true });
  const script = `mount -t tmpfs -o size=64k none logs && cat /dev/zero > logs/filler; "$@"`;
  const through = ['unshare', '-Urm', 'sh', '-c', script, 'sh'];
  const { code, stdout, stderr } = await start(full, [...train, '--quiet', '--out', '../two'], { through });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Trained topk/m);
  assert.equal(records(stderr).length, 1, stderr);
  assert.match(stderr, /engine - WARNING - .*logs cannot be written: The disk is full/);
});
