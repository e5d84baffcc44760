import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  createFileExclusive,
  makeFolders,
  renameReplacing,
  sweepTemporaries,
  writeFileAtomic,
} from '../../src/run/atomic.js';
import { repeats } from '../soak.js';

const folder = mkdtempSync(path.join(tmpdir(), 'iw-atomic-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});
const fresh = () => mkdtempSync(path.join(folder, 'case-'));
const program = path.join(__dirname, 'programs', 'write-for-ever.ts');

test('a file is replaced by strings, bytes, and chunks as they come', async () => {
  const dir = fresh();
  const file = path.join(dir, 'a');
  await writeFileAtomic(file, 'first');
  assert.equal(readFileSync(file, 'utf8'), 'first');
  await writeFileAtomic(file, Buffer.from([1, 2, 3]));
  assert.deepEqual([...readFileSync(file)], [1, 2, 3]);
  await writeFileAtomic(file, ['a', Buffer.from('b'), 'c']);
  assert.equal(readFileSync(file, 'utf8'), 'abc');
  async function* chunks() {
    for (const chunk of ['x', 'y']) {
      await Promise.resolve();
      yield chunk;
    }
  }
  await writeFileAtomic(file, chunks());
  assert.equal(readFileSync(file, 'utf8'), 'xy');
  assert.deepEqual(readdirSync(dir), ['a']);
});

test('when the data fails in the middle the old file stays and nothing else is left', async () => {
  const dir = fresh();
  const file = path.join(dir, 'a');
  await writeFileAtomic(file, 'old');
  function* broken() {
    yield 'half of ';
    throw new Error('no more data');
  }
  await assert.rejects(writeFileAtomic(file, broken()), /no more data/);
  assert.equal(readFileSync(file, 'utf8'), 'old');
  assert.deepEqual(readdirSync(dir), ['a']);
});

test('a missing folder is reported and not made', async () => {
  await assert.rejects(writeFileAtomic(path.join(folder, 'none', 'a'), 'x'), { code: 'ENOENT' });
});

test('folders are made with what is missing above them, and what was made is told', async () => {
  const dir = fresh();
  const inner = path.join(dir, 'a', 'b');
  assert.deepEqual(await makeFolders(inner), [path.join(dir, 'a'), inner]);
  assert.deepEqual(await makeFolders(inner), []);
  writeFileSync(path.join(inner, 'file'), '');
  await assert.rejects(makeFolders(path.join(inner, 'file', 'c')), { code: 'ENOTDIR' });
  await assert.rejects(makeFolders(path.join(inner, 'file')), { code: 'ENOTDIR' });
});

test('a folder that can never be made is an error, not a hang', { skip: process.platform !== 'linux' }, async () => {
  await assert.rejects(makeFolders('/proc/interpretability/workbench'), { code: 'ENOENT' });
});

test('a folder can be renamed into its place', async () => {
  const dir = fresh();
  const made = mkdtempSync(path.join(dir, 'making-'));
  writeFileSync(path.join(made, 'a'), 'x');
  await renameReplacing(made, path.join(dir, '100'));
  assert.deepEqual(readdirSync(dir), ['100']);
});

test('of many that create the same file one succeeds, and its contents stay', async () => {
  const file = path.join(fresh(), 'a');
  const results = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => ({ i, ...(await createFileExclusive(file, `by ${i}`)) })),
  );
  const winners = results.filter(({ created }) => created);
  assert.equal(winners.length, 1);
  assert.equal(readFileSync(file, 'utf8'), `by ${winners[0]!.i}`);
});

test('a process killed while it writes leaves a whole file, and what it left is swept away', async () => {
  const dir = fresh();
  const file = path.join(dir, 'a');
  for (let kills = 0; kills < repeats(3, 200); kills++) {
    const writer = fork(program, [file], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    for (let rounds = 0; rounds < 3 + (kills % 10); rounds++) await once(writer, 'message');
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    const text = readFileSync(file, 'utf8');
    assert.equal(text.length, 3_000_000);
    assert.equal(text, text.charAt(0).repeat(text.length));
  }
  const own = path.join(dir, `.a.${process.pid}.0123456789ab.tmp`);
  writeFileSync(own, 'still being written');
  writeFileSync(path.join(dir, `.a.999999999.0123456789ab.tmp`), 'left by a process that is gone');
  await sweepTemporaries(dir);
  assert.deepEqual(readdirSync(dir).sort(), [path.basename(own), 'a']);
  assert.ok(existsSync(file));
});
