import * as vscode from 'vscode';
import type { Answers } from '../answers.js';
import type { Step } from '../multi-step.js';
import { wholeNumber } from '../numbers.js';
import { input } from '../step-ui.js';
import { answered } from './asking.js';

/** Which layer of recorded activations, where no hook point says it. */
export function layerStep(): Step<Answers> {
  return {
    name: 'layer',
    applies: ({ model, source }) => model === null && source?.kind === 'activations',
    answered: ({ source }) => source?.kind === 'activations' && source.layer !== undefined,
    ask: async (answers, place) => {
      const { source } = answers;
      if (source?.kind !== 'activations') return { to: 'back' };
      const { layer: before, ...file } = source;
      const reply = await input({
        place,
        prompt: vscode.l10n.t('The layer, where the file holds several; nothing if it holds one'),
        value: before === undefined || before === null ? '' : String(before),
        validate: (typed) =>
          typed.trim() === '' || wholeNumber(typed) !== undefined
            ? undefined
            : vscode.l10n.t('Type a whole number from 0, or nothing.'),
      });
      const changes = (typed: string): Answers => ({ source: { ...file, layer: wholeNumber(typed) ?? null } });
      return answered(reply, answers, changes) ?? { to: 'back' };
    },
  };
}
