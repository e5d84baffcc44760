import path from 'node:path';
import { toProblem } from '../shared/errors.js';
import { Logs } from '../workbench/logging/logs.js';
import { exitCodes } from './exit.js';
import { paintFor } from './terminal/paint.js';
import { problemLines } from './terminal/problem.js';

/**
 * Tells what ended a command: a problem in one sentence with a hint. What nobody expected goes to the log with its stack,
 * where the hint says it is.
 * @returns the exit code.
 */
export async function tellFault(error: unknown): Promise<number> {
  const problem = toProblem(error);
  process.stderr.write(`${problemLines(problem, paintFor(process.stderr)).join('\n')}\n`);
  if (problem.code === 'internal') {
    const logs = new Logs({ folder: path.resolve('logs') });
    logs.log('extension', 'ERROR', problem.message, error instanceof Error ? error.stack : undefined);
    await logs.close();
  }
  return problem.input ? exitCodes.input : exitCodes.failed;
}
