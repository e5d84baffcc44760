import path from 'node:path';
import { JobManager } from '../../workbench/jobs.js';
import { exitCodes } from '../exit.js';
import { configFromFlags, sourceFlags } from '../flags.js';
import { openLogging } from '../logging.js';
import { concurrencyOf, folderOf, levelsOf, portOf, tokenOf } from '../server-flags.js';
import { activeJobs, addressOf, interruptJobs, movedSentence, openServing, type Serving } from '../serving.js';
import { onStop } from '../stop.js';
import { silentDisplay } from '../terminal/display.js';
import { pairs } from '../terminal/table.js';

export interface ServeOptions {
  port: string;
  root: string;
  /** False with --no-auth. */
  auth: boolean;
  allowOrigin: readonly string[];
  allowFolder: readonly string[];
  concurrency: string;
  logLevel: readonly string[];
}

/** What requests may leave out. */
export const defaultFlags = sourceFlags.filter(({ key }) => key === 'model' || key === 'text');

const withoutToken =
  'Without a token every program and every user of this machine can start, watch and stop training here; web pages of ' +
  'other origins are still refused.';

/** `iw serve` */
export async function serve(options: ServeOptions): Promise<number> {
  const port = portOf(options.port);
  const root = folderOf('--root', options.root);
  const token = options.auth ? tokenOf(process.env) : null;
  const folders = options.allowFolder.map((folder) => folderOf('--allow-folder', folder));
  const concurrency = concurrencyOf(options.concurrency);
  const defaults = configFromFlags(options, defaultFlags);
  const logging = openLogging(silentDisplay(process.stderr, 'INFO'), levelsOf(options.logLevel));
  const { log } = logging;
  const jobs = new JobManager({ log, concurrency });
  try {
    const serving = await openServing({
      jobs,
      log,
      root,
      runsFolder: path.join(root, '.interpretability', 'runs'),
      folders: () => folders,
      defaults: () => defaults,
      port,
      token,
      allowedOrigins: options.allowOrigin,
    });
    if (token === null) log('api', 'WARNING', withoutToken);
    if (serving.server.moved) log('api', 'WARNING', movedSentence(serving.server, port));
    process.stdout.write(`${greeting(serving).join('\n')}\n`);
    await askedToStop(jobs);
    if (activeJobs(jobs).length > 0) process.stderr.write('Stopping after a checkpoint; once more stops at once.\n');
    await interruptJobs(jobs);
    await serving.close();
  } finally {
    await logging.close();
  }
  return exitCodes.interrupted;
}

/** What a person needs to know of a server that has started. The token is told here and nowhere else. */
function greeting({ server, board }: Serving): string[] {
  const interrupted = board.list().filter(({ progress }) => progress.status === 'interrupted').length;
  return pairs([
    ['API', server.url],
    [server.token === null ? 'page' : 'with its token', addressOf(server)],
    ['clients find it in', server.addressFile],
    ['interrupted runs', interrupted === 0 ? undefined : `${interrupted}, which can be resumed`],
  ]);
}

/** Resolves when a person ends the server. Asked again, its engines end at once; once more, and it does too. */
async function askedToStop(jobs: JobManager): Promise<void> {
  return new Promise((resolve) => {
    onStop(resolve, () => {
      const active = activeJobs(jobs);
      if (active.length === 0) process.exit(exitCodes.interrupted);
      for (const job of active) job.kill();
    });
  });
}
