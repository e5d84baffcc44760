import { version } from '../../package.json';
import type { Job, JobManager } from '../workbench/jobs.js';
import { RunBoard } from '../workbench/run-board.js';
import { ApiServer, type ApiServerOptions } from '../workbench/server/api-server.js';
import { commandLine, shortest } from './invocation.js';

/** The API server of a command. */
export interface Serving {
  server: ApiServer;
  board: RunBoard;
  /** Ends every connection once it was told everything. */
  close: () => Promise<void>;
}

export interface ServingOptions extends Omit<ApiServerOptions, 'board' | 'version' | 'runsFolder'> {
  /** Where new runs go, and where those of before are looked for. */
  runsFolder: string;
}

/** Serves the jobs of this process and the runs of its runs folder. @throws WorkbenchError `port_unavailable`. */
export async function openServing({ runsFolder, ...options }: ServingOptions): Promise<Serving> {
  const { jobs, log } = options;
  const board = new RunBoard({ jobs, log, folders: () => [runsFolder] });
  try {
    await board.refresh();
    const server = await ApiServer.start({ ...options, board, version, runsFolder: () => runsFolder });
    const close = async () => {
      await server.close();
      board.dispose();
    };
    return { server, board, close };
  } catch (error) {
    board.dispose();
    throw error;
  }
}

/** The address that a browser or a client is given, with the token that lets it in. */
export function addressOf({ url, token }: ApiServer): string {
  return token === null ? `${url}/` : `${url}/?token=${token}`;
}

/** What to tell about a port that was taken. */
export function movedSentence({ port }: ApiServer, asked: number): string {
  return `Port ${asked} is in use: the server has port ${port} instead.`;
}

export function activeJobs(jobs: JobManager): Job[] {
  return jobs.list().filter(({ state }) => state !== 'over');
}

/** Stops the jobs that still run, each with a checkpoint, and says how to go on with them. */
export async function interruptJobs(jobs: JobManager): Promise<void> {
  const active = activeJobs(jobs);
  await jobs.dispose();
  const interrupted = active.filter(({ record }) => record.status === 'interrupted');
  if (interrupted.length === 0) return;
  const lines = interrupted.map(({ runDir }) => `  ${commandLine('train', '--resume', shortest(runDir))}`);
  process.stderr.write(`${['Interrupted; what was trained is kept. To go on:', ...lines].join('\n')}\n`);
}
