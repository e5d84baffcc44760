import path from 'node:path';
import type { SaeConfig } from '../shared/config.js';
import type { Problem } from '../shared/errors.js';
import { printable } from '../shared/format.js';
import type { Translate } from './translate.js';

const bundledModel = 'bundled:demo-gpt2';
const bundledText = 'bundled:sample';

/** A run that exists already. */
export interface ExistingRun {
  dir: string;
  /** The folder of runs that only the extension writes to. */
  stored: string;
}

/**
 * Why a workspace that is not trusted may not train or evaluate this: it may only name the model and the text that ship, and
 * a run that exists already (`run`) has to lie where no workspace can put files, or links to files, of its own.
 */
export function untrustedProblem(config: SaeConfig, t: Translate, run?: ExistingRun): Problem | undefined {
  const { model, text, activation_data_path: activations, output_dir: out } = config;
  const refuse = (field: keyof SaeConfig, named: string): Problem => ({
    code: 'not_trusted',
    message: t('This workspace is not trusted, and the configuration names {0}.', printable(named)),
    hint: t('Without trust, only the bundled demo model and text are used. Trust the workspace to use its own files.'),
    field,
    input: true,
  });
  if (activations !== undefined) return refuse('activation_data_path', activations);
  if (model !== bundledModel) return refuse('model', model ?? t('no model'));
  const foreign = text?.find((each) => each !== bundledText);
  if (foreign !== undefined) return refuse('text', foreign);
  if (out !== undefined && out !== run?.dir) return refuse('output_dir', out);
  if (run === undefined || path.dirname(run.dir) === run.stored) return undefined;
  return {
    code: 'not_trusted',
    message: t('This workspace is not trusted, and the run lies in {0}.', printable(run.dir)),
    hint: t('Trust the workspace to go on with runs that came with it.'),
    input: true,
  };
}
