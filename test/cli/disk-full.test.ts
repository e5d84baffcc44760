import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Ended, start, temporaryFolder, tinyModel } from './cli.js';

const cwd = temporaryFolder();
mkdirSync(path.join(cwd, 'small'));

/** Runs `iw` with a file system of so many bytes mounted at `small`, and lists in the end what is on it. */
function onSmallDisk(bytes: number, ...args: string[]): Promise<Ended> {
  const script = `mount -t tmpfs -o size=${bytes} none small && "$@"; code=$?; ls -A small small/run; exit $code`;
  return start(cwd, args, { through: ['unshare', '-Urm', 'sh', '-c', script, 'sh'] });
}

// A private mount needs Linux and a kernel that lets this user have one.
const possible = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', cwd]).status === 0;
const skip = possible ? false : 'no small file system can be mounted here (needs Linux user namespaces)';
const small = [
  ...['train', '--model', tinyModel, '--layer', '1', '--k', '4', '--max-samples', '10', '--batch-size', '256'],
  ...['--threads', '1', '--quiet', '--out', 'small/run'],
];

test(
  'a disk that is too small is noticed before the start, with what is needed and what is free',
  { skip },
  async () => {
    const { code, stdout, stderr } = await onSmallDisk(1_000_000, ...small, '--latent-dim', '64', '--epochs', '2');
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^error: .*\d MB.*\d (MB|kB).*\nhint: Free some space/m);
    assert.doesNotMatch(stdout, /run/);
  },
);

test('a disk that fills up in the middle fails the run, keeps its record and says how to go on', { skip }, async () => {
  const { code, stdout, stderr } = await onSmallDisk(1_000_000, ...small, '--latent-dim', '4096', '--epochs', '1');
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^error: The disk is full\.\nhint: Free some space, then resume the run\.$/m);
  assert.match(stderr, /train --resume small\/run$/m);
  assert.match(stdout, /^job\.json$/m);
  assert.doesNotMatch(stdout, /sae_weights|\.tmp/);
});
