// The server that is attacked: a process of its own, so that its memory, its handles and its files are its own too. It does
// what its parent asks, and when that has let go of it, it ends by itself.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { toProblem } from '../../../../src/shared/errors.js';
import { isActive } from '../../../../src/shared/panel.js';
import { JobManager } from '../../../../src/workbench/jobs.js';
import { Logs } from '../../../../src/workbench/logging/logs.js';
import { RunBoard } from '../../../../src/workbench/run-board.js';
import { ApiServer } from '../../../../src/workbench/server/api-server.js';
import { enginePath, root as repository, smallRun } from '../../small-run.js';

export interface Order {
  id: number;
  do: 'measure' | 'tidy' | 'close';
}

/** What the process holds. */
export interface Holdings {
  /** In bytes, after garbage collection. */
  heapUsed: number;
  rss: number;
  /** Open files and sockets; 0 where the system does not tell. */
  descriptors: number;
  /** The kinds of what keeps the event loop going. */
  resources: string[];
}

export interface Opened {
  port: number;
}

/** Runs that have ended and stay, so that requests can be about some. */
const keptRuns = 20;

function holdings(): Holdings {
  // Twice: what finalisers let go of is collected only then.
  for (let i = 0; i < 2; i++) globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
  return { heapUsed, rss, descriptors, resources: process.getActiveResourcesInfo() };
}

async function main(base: string, token: string): Promise<void> {
  process.chdir(path.join(base, 'cwd'));
  const root = path.join(base, 'root');
  const runsFolder = path.join(root, '.interpretability', 'runs');
  const logs = new Logs({ folder: path.join(base, 'logs') });
  const { log } = logs;
  // What asks for more memory than a small run needs is refused by the engine.
  const jobs = new JobManager({ log, enginePath, runsFolder, memoryLimitBytes: 1e9 });
  const board = new RunBoard({ jobs, folders: () => [runsFolder], log });
  const server = await ApiServer.start({
    ...{ jobs, board, log, version: '1.2.3', root, runsFolder: () => runsFolder, port: 0, token },
    folders: () => [path.join(repository, 'test', 'fixtures')],
    defaults: () => ({ model: smallRun.model!, text: smallRun.text!, threads: 1 }),
    addressFolder: path.join(base, 'servers'),
  });

  const tidy = async () => {
    const ended = board.list().filter((run) => !isActive(run));
    for (const { id } of ended.slice(keptRuns)) {
      await board.delete(id).catch((error: unknown) => {
        // Somebody has just resumed it.
        if (toProblem(error).code !== 'run_in_use') throw error;
      });
    }
  };
  const close = async () => {
    await jobs.dispose();
    await server.close();
    board.dispose();
    await logs.close();
  };
  const obey = async (order: Order): Promise<Holdings> => {
    if (order.do === 'tidy') await tidy();
    if (order.do === 'close') await close();
    return holdings();
  };
  process.on('message', (order: Order) => {
    void obey(order).then((now) => process.send?.({ id: order.id, now }));
  });
  process.send?.({ port: server.port } satisfies Opened);
}

const [base = '', token = ''] = process.argv.slice(2);
void main(base, token);
