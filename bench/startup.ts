import { fork, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runTask } from '../src/workbench/engine-process.js';
import { cliPath, enginePath, inFolder } from './demo.js';
import { milliseconds, type Part } from './part.js';
import { inTurns, spread } from './statistics.js';

/** Milliseconds from a program's start to its first line that `wanted` accepts; then it is ended. */
async function untilLine(args: readonly string[], cwd: string, wanted: (line: string) => boolean): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  let found: number | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (found !== undefined || !wanted(line)) continue;
    found = performance.now() - start;
    child.kill('SIGINT');
  }
  await gone;
  if (found === undefined) throw new Error(`node ${args.join(' ')} ended without the line waited for`);
  return found;
}

/** Milliseconds from the start of an engine to its first progress, and to the end of `phase`; then it is ended. */
async function engineUntil(phase: 'loading_model' | 'tokenizing', runDir: string): Promise<number> {
  const start = performance.now();
  let found: number | undefined;
  const engine = runTask(
    { kind: 'train', config: {}, runDir, resume: false },
    {
      progress: (progress) => {
        if (found !== undefined || progress.phase !== phase) return;
        found = performance.now() - start;
        engine.kill();
      },
    },
    { enginePath },
  );
  await engine.result;
  if (found === undefined) throw new Error(`the engine never reached ${phase}`);
  return found;
}

/** Milliseconds from the start of a Node process with a channel to its first message, which is all it does. */
async function bareFork(program: string): Promise<number> {
  const start = performance.now();
  const child = fork(program, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  await new Promise((resolve) => child.once('message', resolve));
  const ms = performance.now() - start;
  await new Promise((resolve) => child.once('exit', resolve));
  return ms;
}

/** How long it takes until something happens, beside what Node alone takes, in turns. */
export const startup: Part = {
  title: 'Start-up of the command line and of the engine',
  run: ({ smoke }) =>
    inFolder(async (dir) => {
      let runs = 0;
      const runDir = () => path.join(dir, `run-${runs++}`);
      const program = path.join(dir, 'bare.js');
      await writeFile(program, 'process.send(1, undefined, {}, () => process.disconnect());\n');
      const train = (wanted: RegExp) => () =>
        untilLine([cliPath, 'train', '--json', '--out', runDir()], dir, (line) => wanted.test(line));
      const [bareLine = [], cliFirst = [], cliEngine = [], bare = [], ready = [], loaded = []] = await inTurns(
        [
          () => untilLine(['-e', 'console.log(1)'], dir, () => true),
          train(/"type":"training_progress"/),
          train(/"phase":"tokenizing"/),
          () => bareFork(program),
          () => engineUntil('loading_model', runDir()),
          () => engineUntil('tokenizing', runDir()),
        ],
        { rounds: smoke ? 1 : 5, warmUp: 1 },
      );
      const [nodeAlone, forkAlone] = [milliseconds(spread(bareLine)), milliseconds(spread(bare))];
      return {
        data: {
          node_line_ms: spread(bareLine),
          cli_first_progress_ms: spread(cliFirst),
          cli_model_loaded_ms: spread(cliEngine),
          node_fork_ms: spread(bare),
          engine_ready_ms: spread(ready),
          engine_model_loaded_ms: spread(loaded),
        },
        rows: [
          {
            what: 'iw train: start to first progress',
            measured: milliseconds(spread(cliFirst)),
            limit: `${nodeAlone}: Node printing a line`,
            at: `to the model loaded: ${milliseconds(spread(cliEngine))}`,
          },
          {
            what: 'engine: fork to first progress',
            measured: milliseconds(spread(ready)),
            limit: `${forkAlone}: Node sending a message`,
            at: `to the model loaded: ${milliseconds(spread(loaded))}`,
          },
        ],
      };
    }),
};
