// The process that is measured: jobs, board, logs and server as `iw serve` has them, with an engine that is given. It tells
// when it has started, and what it has used when the stream is over.
import path from 'node:path';
import type { TrainingProgress } from '../../src/shared/events.js';
import { JobManager } from '../../src/workbench/jobs.js';
import { Logs } from '../../src/workbench/logging/logs.js';
import { RunBoard } from '../../src/workbench/run-board.js';
import { ApiServer } from '../../src/workbench/server/api-server.js';

export interface ServerTask {
  folder: string;
  enginePath: string;
  /** The stream is over with this step. */
  lastStep: number;
}

export type ServerMessage = { type: 'serving'; url: string; token: string } | { type: 'over'; usage: Usage };

/** What serving has cost, from the first step to the last. */
export interface Usage {
  seconds: number;
  /** This process's own, in all its threads. */
  cpuSeconds: number;
  residentBytes: number;
  /** The number of every event of the stream that was there for clients to hear. */
  published: number[];
}

async function main({ folder, enginePath, lastStep }: ServerTask): Promise<void> {
  const tell = (message: ServerMessage) => process.send?.(message);
  const runsFolder = path.join(folder, 'runs');
  const logs = new Logs({ folder: path.join(folder, 'logs') });
  const { log } = logs;
  const jobs = new JobManager({ log, enginePath, runsFolder });
  const board = new RunBoard({ jobs, log, folders: () => [runsFolder] });
  const server = await ApiServer.start({
    ...{ jobs, board, log, version: '0', root: folder, runsFolder: () => runsFolder, port: 0 },
    addressFolder: path.join(folder, 'servers'),
  });

  const published: number[] = [];
  let began = 0;
  let cpu = process.cpuUsage();
  const hear = ({ seq, step }: TrainingProgress) => {
    if (published.length === 0) {
      began = performance.now();
      cpu = process.cpuUsage();
    }
    published.push(seq);
    if (step < lastStep) return;
    unsubscribe();
    const { user, system } = process.cpuUsage(cpu);
    const usage = { seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6, published };
    tell({ type: 'over', usage: { ...usage, residentBytes: process.memoryUsage().rss } });
  };
  const unsubscribe = jobs.subscribe((event) => {
    if (event.type === 'training_progress' && event.step > 0) hear(event);
  });
  process.once('disconnect', () => {
    void jobs.dispose().then(async () => {
      await server.close();
      board.dispose();
      await logs.close();
    });
  });
  tell({ type: 'serving', url: server.url, token: server.token ?? '' });
}

process.once('message', (task: ServerTask) => void main(task));
