import type { SaeConfig } from '../shared/config.js';
import type { Problem } from '../shared/errors.js';
import { printable } from '../shared/format.js';
import type { Translate } from './translate.js';

const bundledModel = 'bundled:demo-gpt2';
const bundledText = 'bundled:sample';

/**
 * Why a workspace that is not trusted may not train or evaluate this: it may only name the model and the text that ship, and
 * no folder to write to but the one the run is in already (`runDir`).
 */
export function untrustedProblem(config: SaeConfig, t: Translate, runDir?: string): Problem | undefined {
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
  if (out !== undefined && out !== runDir) return refuse('output_dir', out);
  return undefined;
}
