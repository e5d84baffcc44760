import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SaeConfig } from '../../src/shared/config.js';
import type { EngineProgress } from '../../src/shared/events.js';
import type { EngineMessage, HostMessage } from '../../src/shared/messages.js';
import { metricsPath } from '../../src/run/layout.js';

/** What a real engine said and wrote while it trained. */
export interface Recording {
  /** Every message before training, then all progress of training; in order. */
  before: EngineMessage[];
  training: EngineProgress[];
  /** The lines of its `metrics.jsonl`. */
  metrics: object[];
}

/** Trains with the engine that was built and keeps what it sends. */
export async function record(enginePath: string, config: SaeConfig): Promise<Recording> {
  const runDir = mkdtempSync(path.join(tmpdir(), 'iw-recording-'));
  const engine = fork(enginePath, [], { serialization: 'advanced' });
  const messages: EngineMessage[] = [];
  engine.on('message', (message) => messages.push(message as EngineMessage));
  const run: HostMessage = { type: 'run', task: { kind: 'train', config, runDir, resume: false } };
  engine.send(run);
  await once(engine, 'disconnect');
  const lines = readFileSync(metricsPath(runDir), 'utf8').trimEnd().split('\n');
  rmSync(runDir, { recursive: true });
  const isTraining = (message: EngineMessage) => message.type === 'progress' && message.progress.phase === 'training';
  return {
    before: messages.slice(0, messages.findIndex(isTraining)),
    training: messages.flatMap((message) =>
      message.type === 'progress' && isTraining(message) ? [message.progress] : [],
    ),
    metrics: lines.map((line) => JSON.parse(line) as object),
  };
}
