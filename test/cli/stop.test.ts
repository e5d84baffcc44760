import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { onStop } from '../../src/cli/stop.js';

/** Sends this process a real signal and waits until it has been handled. */
async function interrupt(): Promise<void> {
  const handled = once(process, 'SIGINT');
  // Waiting for a signal does not keep a process alive.
  const alive = setInterval(() => undefined, 1000);
  process.kill(process.pid, 'SIGINT');
  await handled;
  clearInterval(alive);
}

test('one Ctrl-C that arrives twice is one request, a later one is the second', async () => {
  let time = 0;
  const calls: string[] = [];
  const end = onStop(
    () => calls.push('first'),
    () => calls.push('again'),
    () => time,
  );
  try {
    await interrupt();
    time = 20;
    await interrupt();
    assert.deepEqual(calls, ['first']);
    time = 900;
    await interrupt();
    assert.deepEqual(calls, ['first', 'again']);
  } finally {
    end();
  }
  assert.equal(process.listenerCount('SIGINT'), 0);
});
