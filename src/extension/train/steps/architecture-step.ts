import * as vscode from 'vscode';
import type { Architecture } from '../../../shared/config.js';
import type { Answers } from '../answers.js';
import type { Step } from '../multi-step.js';
import { pick, type Row } from '../step-ui.js';
import { choose, next, type Asking } from './asking.js';

/** Which kind of sparse autoencoder. */
export function architectureStep({ last }: Asking): Step<Answers> {
  return {
    name: 'architecture',
    applies: () => true,
    answered: ({ architecture }) => architecture !== undefined,
    ask: (answers, place) =>
      choose(
        () =>
          pick<Architecture>({
            place,
            placeholder: vscode.l10n.t('The kind of sparse autoencoder'),
            rows: rows(),
            preferred: (architecture) => architecture === (answers.architecture ?? last.architecture),
          }),
        (architecture) => next(answers, { architecture }),
      ),
  };
}

function rows(): Row<Architecture>[] {
  return [
    {
      label: 'TopK',
      description: 'Gao et al. 2024',
      detail: vscode.l10n.t(
        'Keeps the k strongest latents of each token: sparsity is what you ask for, and few latents die.',
      ),
      value: 'topk',
    },
    {
      label: vscode.l10n.t('Standard'),
      description: 'ReLU + L1',
      detail: vscode.l10n.t(
        'Any latent may be active; a penalty λ on their sum makes them few, and shrinks them a little.',
      ),
      value: 'standard',
    },
  ];
}
