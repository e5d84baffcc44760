import type { SaeConfig } from '../../shared/config.js';
import { inputError } from '../../shared/errors.js';
import type { Log } from '../../shared/logs.js';
import { mergeConfig, readConfigFile } from '../../workbench/config-file.js';
import { type Job, type JobEnd, JobManager } from '../../workbench/jobs.js';
import { defaultRunsFolder, newestCheckpoint, readRun } from '../../workbench/runs.js';
import { exitCodes } from '../exit.js';
import { configFromFlags, sourceFlags, trainingFlags, withBundled } from '../flags.js';
import { commandLine, shortest } from '../invocation.js';
import { openLogging } from '../logging.js';
import { portOf, tokenOf } from '../server-flags.js';
import { addressOf, interruptJobs, movedSentence, openServing, type Serving } from '../serving.js';
import { onStop } from '../stop.js';
import { closingLines } from '../terminal/closing.js';
import { type Display, displayFor } from '../terminal/display.js';
import { paintFor } from '../terminal/paint.js';
import { problemLines } from '../terminal/problem.js';

export interface TrainOptions {
  resume?: string;
  json?: boolean;
  quiet?: boolean;
  /** Serve the API beside the training. */
  port?: string;
}

/** `iw train [CONFIG.sae.json]` */
export async function train(file: string | undefined, options: TrainOptions): Promise<number> {
  const config = await configOf(file, options);
  const port = options.port === undefined ? undefined : portOf(options.port);
  const display = displayFor(process.stderr, options);
  const logging = openLogging(display);
  const jobs = new JobManager({ log: logging.log });
  let own: string | undefined;
  jobs.subscribe((event, job) => {
    // Clients of the API may start jobs too; they are not what this command was asked for.
    if (job.id !== (own ??= job.id)) return;
    if (options.json) process.stdout.write(`${JSON.stringify(event)}\n`);
    if (event.type === 'training_progress') display.progress(event);
    else logging.mute();
  });
  let serving: Serving | undefined;
  let end: JobEnd | undefined;
  try {
    end = await runJob(jobs, config, options, display, async () => {
      if (port !== undefined) serving = await serveBeside(jobs, port, logging.log, display);
    });
  } finally {
    display.close(end?.status !== 'completed');
    if (serving !== undefined) {
      // What clients have started stops too.
      await interruptJobs(jobs);
      await serving.close();
    }
    await logging.close();
  }
  return report(end, options);
}

/** The configuration of a new run; of a resumed one, what the flags would change about it. */
async function configOf(file: string | undefined, options: TrainOptions): Promise<SaeConfig> {
  const flags = configFromFlags(options, [...sourceFlags, ...trainingFlags]);
  const config = file === undefined ? flags : mergeConfig(await readConfigFile(file), flags);
  if (options.resume === undefined) return withBundled(config);
  if (config.output_dir === undefined) return config;
  const sentence = 'A resumed run stays in its folder: --resume and an output folder do not go together.';
  throw inputError('config_invalid', sentence, 'Leave out --out, or start a new run without --resume.', 'output_dir');
}

/**
 * Runs the job to its end. The first request to stop writes a checkpoint, the next one ends the engine at once. `begun` is
 * waited for when the job is in the queue.
 */
async function runJob(
  jobs: JobManager,
  config: SaeConfig,
  options: TrainOptions,
  display: Display,
  begun: () => Promise<void>,
): Promise<JobEnd> {
  const stop = new AbortController();
  let job: Job | undefined;
  const unlisten = onStop(
    () => {
      stop.abort();
    },
    () => job?.kill(),
  );
  try {
    const started = await jobs.start(
      config,
      options.resume === undefined ? {} : { runDir: options.resume, resume: true },
    );
    job = started;
    if (!options.quiet && !options.json) display.line(`Run folder ${shortest(started.runDir)}`);
    const cancel = () => {
      if (!options.quiet) display.line('Stopping after a checkpoint; once more stops at once.');
      void started.cancel();
    };
    if (stop.signal.aborted) cancel();
    else stop.signal.addEventListener('abort', cancel);
    await begun().catch(async (error: unknown) => {
      await started.cancel();
      throw error;
    });
    return await started.ended;
  } finally {
    unlisten();
  }
}

/** Serves the API from the current folder while the job of this command runs. */
async function serveBeside(jobs: JobManager, port: number, log: Log, display: Display): Promise<Serving> {
  const token = tokenOf(process.env);
  const serving = await openServing({ jobs, log, root: process.cwd(), runsFolder: defaultRunsFolder(), port, token });
  if (serving.server.moved) display.line(movedSentence(serving.server, port));
  display.line(`API ${addressOf(serving.server)}`);
  return serving;
}

async function report(end: JobEnd, options: TrainOptions): Promise<number> {
  const dir = shortest(end.outputDir);
  const say = (lines: string[]) => process.stderr.write(`${lines.join('\n')}\n`);
  const resume = commandLine('train', '--resume', dir);
  if (end.status === 'completed') {
    if (options.json) return exitCodes.done;
    const show = commandLine('show', dir, '--features');
    process.stdout.write(`\n${closingLines(await readRun(end.outputDir), show).join('\n')}\n`);
    return exitCodes.done;
  }
  if (end.status === 'failed') {
    say(problemLines(end.problem, paintFor(process.stderr)));
    if (!end.problem.input) {
      const kept = (await newestCheckpoint(end.outputDir)) !== null;
      say([
        kept ? 'What was trained is kept. To go on from there:' : 'To begin again in the same folder:',
        `  ${resume}`,
      ]);
    }
    return end.problem.input ? exitCodes.input : exitCodes.failed;
  }
  const kept =
    end.checkpoint === null ? 'Stopped before there was anything to keep.' : 'Stopped; a checkpoint is kept.';
  say([`${kept} To go on:`, `  ${resume}`]);
  return exitCodes.interrupted;
}
