import type { Problem } from '../../shared/errors.js';
import { printable } from '../../shared/format.js';
import { type Paint, plain } from './paint.js';

/** A problem as two lines: what is wrong, and what to do about it. */
export function problemLines(problem: Pick<Problem, 'message' | 'hint'>, paint: Paint = plain): string[] {
  const lines = [`${paint.red('error:')} ${printable(problem.message)}`];
  return problem.hint === '' ? lines : [...lines, `${paint.yellow('hint:')} ${printable(problem.hint)}`];
}
