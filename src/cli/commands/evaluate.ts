import path from 'node:path';
import { readRun } from '../../workbench/runs.js';
import { exitCodes } from '../exit.js';
import { configFromFlags, sourceFlags } from '../flags.js';
import { runShown } from '../task.js';
import { displayFor } from '../terminal/display.js';
import { evaluationLines } from '../terminal/evaluation.js';
import { printable, whole } from '../terminal/format.js';

export interface EvaluateOptions {
  text?: string[];
  threads?: string;
  json?: boolean;
  quiet?: boolean;
}

/** `iw eval RUN_DIR` */
export async function evaluate(dir: string, options: EvaluateOptions): Promise<number> {
  const { text, threads } = configFromFlags(options, sourceFlags);
  const { dir: runDir } = await readRun(path.resolve(dir));
  const outcome = await runShown(
    {
      kind: 'evaluate',
      runDir,
      ...(text === undefined ? {} : { text }),
      ...(threads === undefined ? {} : { threads }),
    },
    displayFor(process.stderr, options),
  );
  if (outcome.status === 'cancelled') return exitCodes.interrupted;
  const { result } = outcome;
  const lines = options.json
    ? [JSON.stringify(result)]
    : [`${whole(result.tokens)} tokens: ${printable(result.text)}`, '', ...evaluationLines(result)];
  process.stdout.write(`${lines.join('\n')}\n`);
  return exitCodes.done;
}
