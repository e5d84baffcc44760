// Takes a folder's lock again and again. While it holds the lock it creates the file `holder`, which must not exist then, and
// removes it again: two holders at a time would collide there. With `crash` it does not give the lock back but leaves it as
// a process that was killed leaves it. Begins when its parent says so.
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { writeFileAtomic } from '../../../src/run/atomic.js';
import { lockPath } from '../../../src/run/layout.js';
import { RunLock } from '../../../src/run/lock.js';
import { WorkbenchError } from '../../../src/shared/errors.js';

const dir = process.argv[2]!;
const rounds = Number(process.argv[3]);
const crash = process.argv[4] === 'crash';

async function take(): Promise<RunLock> {
  for (;;) {
    try {
      return await RunLock.acquire(dir);
    } catch (error) {
      if (!(error instanceof WorkbenchError && error.problem.code === 'run_in_use')) throw error;
      await setImmediate();
    }
  }
}

async function main(): Promise<void> {
  for (let taken = 0; taken < rounds; taken++) {
    const lock = await take();
    const holder = path.join(dir, 'holder');
    closeSync(openSync(holder, 'wx'));
    for (let writes = 0; writes < 5; writes++) await writeFileAtomic(path.join(dir, 'work'), String(writes));
    rmSync(holder);
    if (crash) {
      const dead = { host: hostname(), pid: 999_999_999, id: `${process.pid}-${taken}`, time: '' };
      writeFileSync(lockPath(dir), JSON.stringify(dead));
    } else {
      lock.release();
    }
    await setImmediate();
  }
}

process.once('message', () => {
  main().then(
    () => {
      process.disconnect();
    },
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.send?.('ready');
