import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { EngineMessage, HostMessage } from '../../src/shared/messages.js';
import { metricsPath } from '../../src/run/layout.js';
import type { Recording } from './recording.js';

/**
 * Stands in for the engine in a copy of the installed extension: sends what a real engine sent, for as long as it is asked
 * to. Its steps are counted anew, one by one, so that a step that is shown tells which message it came in; everything else
 * of a message is as it was recorded. Built into one file, beside which `replay.json` says how to replay.
 */

export interface Replay {
  recording: Recording;
  /** Progress messages. */
  messages: number;
  /** Milliseconds between two of them; 0 as fast as the channel takes them. */
  everyMs: number;
}

const { recording, messages, everyMs } = JSON.parse(
  readFileSync(path.join(__dirname, 'replay.json'), 'utf8'),
) as Replay;

/** A real run tells its progress ten times in an epoch of a second; so many messages, then, to an epoch. */
const perEpoch = 10;

/** When each step was sent; the index is the step. */
const sentAt = [0];

function send(message: EngineMessage): Promise<void> {
  return new Promise((resolve) => {
    process.send!(message, undefined, {}, () => {
      resolve();
    });
  });
}

async function advance(step: number, runDir: string): Promise<void> {
  const recorded = recording.training[step % recording.training.length]!;
  const line = recording.metrics[step % recording.metrics.length]!;
  if (everyMs > 0) appendFileSync(metricsPath(runDir), `${JSON.stringify({ ...line, step, tokens: step * 4096 })}\n`);
  const done = (100 * step) / messages;
  const counted = { step, total_steps: messages, tokens: step * 4096, progress: done, phase_progress: done };
  const epochs = { epoch: Math.ceil(step / perEpoch), total_epochs: Math.ceil(messages / perEpoch) };
  sentAt[step] = Date.now();
  await send({ type: 'progress', progress: { ...recorded, ...counted, ...epochs } });
}

async function replay(runDir: string): Promise<void> {
  for (const message of recording.before) await send(message);
  const start = performance.now();
  for (let step = 1; step <= messages; step++) {
    await advance(step, runDir);
    const wait = start + step * everyMs - performance.now();
    if (everyMs > 0 && wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  }
  // Whoever waits for it is to find it whole.
  writeFileSync(path.join(runDir, 'sent.tmp'), JSON.stringify(sentAt));
  renameSync(path.join(runDir, 'sent.tmp'), path.join(runDir, 'sent.json'));
  setInterval(() => void send({ type: 'heartbeat' }), 1000);
}

process.on('message', (message: HostMessage) => {
  if (message.type === 'run' && message.task.kind === 'train') void replay(message.task.runDir);
  if (message.type === 'cancel') void send({ type: 'cancelled', checkpoint: null }).then(() => process.exit());
});
process.on('disconnect', () => process.exit());
