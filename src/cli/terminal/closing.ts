import path from 'node:path';
import type { Run } from '../../workbench/runs.js';
import { shortest } from '../invocation.js';
import { evaluationLines } from './evaluation.js';
import { compact, duration, whole } from '../../shared/format.js';
import { saeLine } from '../../shared/wording.js';
import { pairs } from './table.js';

/** What `iw train` leaves on the screen: what was trained, how good it is and where it lies. */
export function closingLines(run: Run, show: string): string[] {
  const { job, config, evaluation } = run;
  const at = (file: string) => shortest(path.join(run.dir, file));
  return [
    `Trained ${saeLine(config)}`,
    `in ${duration(job.elapsed_time)}: ${whole(job.step)} steps, ${compact(job.tokens)} tokens`,
    '',
    ...(evaluation ? [...evaluationLines(evaluation, job.metrics), ''] : []),
    ...pairs([
      ['weights', job.model_path === undefined ? undefined : shortest(job.model_path)],
      ['evaluation', evaluation ? at('evaluation.json') : undefined],
      ['features', config.feature_tokens === 0 ? undefined : at('features')],
      ['run folder', shortest(run.dir)],
      ['read it with', show],
    ]),
  ];
}
