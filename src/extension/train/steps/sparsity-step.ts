import * as vscode from 'vscode';
import { whole } from '../../../shared/format.js';
import type { Answers } from '../answers.js';
import type { Place, Step } from '../multi-step.js';
import { realNumber, wholeNumber } from '../numbers.js';
import { input, pick, type Reply } from '../step-ui.js';
import { answered, choose, next, type Asking } from './asking.js';

const usualK = 32;
const usualCoefficient = 2;
const largestCoefficient = 1e6;

type Choice = number | 'other';

/** How sparse: k of TopK, λ of the standard kind. */
export function sparsityStep({ last }: Asking): Step<Answers> {
  return {
    name: 'sparsity',
    applies: () => true,
    answered: ({ architecture, k, coefficient }) => (architecture === 'standard' ? coefficient : k) !== undefined,
    ask: (answers, place) => {
      const question =
        answers.architecture === 'standard' ? coefficientQuestion(answers, last) : kQuestion(answers, last);
      return choose<Choice>(
        () => list(place, question),
        async (choice) => {
          if (choice !== 'other') return next(answers, question.answer(choice));
          const reply = await input({
            place,
            prompt: question.title,
            value: String(question.before),
            validate: (typed) => (question.parse(typed) === undefined ? question.range : undefined),
          });
          return answered(reply, answers, (typed) => question.answer(question.parse(typed) ?? question.before));
        },
      );
    },
  };
}

interface Question {
  title: string;
  choices: readonly number[];
  usual: number;
  before: number;
  label: (value: number) => string;
  parse: (typed: string) => number | undefined;
  /** What may be typed, in a sentence. */
  range: string;
  answer: (value: number) => Answers;
}

function kQuestion({ k, latents }: Answers, last: Answers): Question {
  const most = latents ?? Infinity;
  const usual = Math.min(usualK, most);
  const before = [k, last.k].find((value) => value !== undefined && value <= most) ?? usual;
  return {
    title: vscode.l10n.t('k: latents that are active on each token'),
    choices: [8, 16, 32, 64, 128, 256].filter((value) => value <= most),
    usual,
    before,
    label: whole,
    parse: (typed) => {
      const value = wholeNumber(typed);
      return value !== undefined && value >= 1 && value <= most ? value : undefined;
    },
    range:
      most === Infinity
        ? vscode.l10n.t('Type a whole number from 1.')
        : vscode.l10n.t('Type a whole number from 1 to {0}, the number of latents.', whole(most)),
    answer: (value) => ({ k: value }),
  };
}

function coefficientQuestion({ coefficient }: Answers, last: Answers): Question {
  return {
    title: vscode.l10n.t('λ: the weight of the L1 penalty; more makes fewer latents active'),
    choices: [0.5, 1, 2, 4, 8, 16],
    usual: usualCoefficient,
    before: coefficient ?? last.coefficient ?? usualCoefficient,
    label: String,
    parse: (typed) => {
      const value = realNumber(typed);
      return value !== undefined && value <= largestCoefficient ? value : undefined;
    },
    range: vscode.l10n.t('Type a number from 0 to {0}.', whole(largestCoefficient)),
    answer: (value) => ({ coefficient: value }),
  };
}

function list(place: Place, { title, choices, usual, before, label }: Question): Promise<Reply<Choice>> {
  const values = [...new Set([...choices, usual, before])].sort((a, b) => a - b);
  return pick<Choice>({
    place,
    placeholder: title,
    rows: [
      ...values.map((value) => ({
        label: value === usual ? `${label(value)} ${vscode.l10n.t('(usual)')}` : label(value),
        value,
      })),
      { label: `$(edit) ${vscode.l10n.t('Another number…')}`, value: 'other' },
    ],
    preferred: (value) => value === before,
  });
}
