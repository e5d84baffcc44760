import { existsSync } from 'node:fs';
import path from 'node:path';
import { inputError } from '../../shared/errors.js';
import { configPath } from '../../workbench/runs.js';
import { exitCodes } from '../exit.js';
import { configFromFlags, sourceFlags } from '../flags.js';
import { runShown } from '../task.js';
import { displayFor } from '../terminal/display.js';
import { evaluationLines } from '../terminal/evaluation.js';
import { printable, whole } from '../../shared/format.js';

export interface EvaluateOptions {
  text?: string[];
  threads?: string;
  json?: boolean;
  quiet?: boolean;
}

/** `iw eval RUN_DIR` */
export async function evaluate(dir: string, options: EvaluateOptions): Promise<number> {
  const { text, threads } = configFromFlags(options, sourceFlags);
  const runDir = path.resolve(dir);
  if (!existsSync(configPath(runDir))) {
    throw inputError(
      'run_unreadable',
      `${runDir} is not a run folder: it has no config.sae.json.`,
      'Give the folder of a run.',
    );
  }
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
