import { totalmem } from 'node:os';
import * as vscode from 'vscode';
import { bytes, compact, whole } from '../../../shared/format.js';
import { readSetting } from '../../settings.js';
import { toConfig, type Answers } from '../answers.js';
import { askEngine } from '../ask-engine.js';
import { latentChoice, latentChoices, type LatentChoice, type LatentOptions } from '../latents.js';
import type { Step } from '../multi-step.js';
import { wholeNumber } from '../numbers.js';
import { input, pick, type Row, type Rows } from '../step-ui.js';
import { answered, choose, next, type Asking } from './asking.js';

type Choice = { latents: number | null } | 'other';

/** How many latents, and what each number costs. */
export function latentsStep({ workbench, last }: Asking): Step<Answers> {
  return {
    name: 'latents',
    applies: () => true,
    answered: ({ latents }) => latents !== undefined,
    ask: (answers, place) => {
      let options = optionsOf(answers, answers.hook?.width ?? undefined);
      const sameWidth = last.hook?.width === answers.hook?.width;
      const before = answers.latents === undefined && sameWidth ? last.latents : answers.latents;
      const list = () =>
        pick<Choice>({
          place,
          placeholder: vscode.l10n.t('The number of latents: dictionary entries that the SAE may use'),
          rows: rowsOf(options, before),
          preferred: (choice) => choice !== 'other' && choice.latents === (before ?? usualOf(options)),
          // Of recorded activations, and of a tensor nobody listed, only the engine knows the width.
          load: async (show, signal) => {
            if (options !== undefined) return;
            const { width } = await askEngine(workbench, { kind: 'estimate', config: toConfig(answers) }, signal);
            options = optionsOf(answers, width);
            show(rowsOf(options, before));
          },
        });
      return choose<Choice>(list, async (choice) => {
        if (choice !== 'other') return next(answers, choice);
        const text = await input({
          place,
          prompt: vscode.l10n.t('The number of latents; a multiple of the width is usual'),
          value: String(before ?? usualOf(options) ?? ''),
          validate: (typed) => wrongWith(typed, options),
        });
        return answered(text, answers, (typed) => ({ latents: wholeNumber(typed) ?? null }));
      });
    },
  };
}

/** Undefined while the width is not known. */
function optionsOf({ architecture = 'topk' }: Answers, width: number | undefined): LatentOptions | undefined {
  if (width === undefined) return undefined;
  const limit = readSetting('engine.memoryLimit') * 1e9;
  return { architecture, width, availableBytes: limit > 0 ? Math.min(limit, totalmem()) : totalmem() };
}

const usualOf = (options: LatentOptions | undefined) => (options ? latentChoice(undefined, options).latents : null);

function rowsOf(options: LatentOptions | undefined, before: number | null | undefined): Rows<Choice> {
  const other: Row<Choice> = { label: `$(edit) ${vscode.l10n.t('Another number…')}`, value: 'other' };
  if (!options) {
    const label = vscode.l10n.t('The usual number');
    const detail = vscode.l10n.t('16 × the width of the activations, at most 16,384');
    return [{ label, detail, value: { latents: null } }, other];
  }
  const choices = latentChoices(options);
  const listed = typeof before !== 'number' || choices.some(({ latents }) => latents === before);
  const all = listed ? choices : [...choices, latentChoice(before, options)].sort((a, b) => a.latents - b.latents);
  return [...all.map(rowOf), other];
}

function rowOf({ latents, expansion, memoryBytes, fits, usual }: LatentChoice): Row<Choice> {
  const factor = vscode.l10n.t('{0} × the width', compact(expansion));
  const memory = vscode.l10n.t('up to {0} of memory', bytes(memoryBytes));
  const tooMuch = fits ? [] : [`$(warning) ${vscode.l10n.t('more than there is')}`];
  const label = usual ? `${whole(latents)} ${vscode.l10n.t('(usual)')}` : whole(latents);
  return { label, description: [factor, memory, ...tooMuch].join(' · '), value: { latents } };
}

function wrongWith(typed: string, options: LatentOptions | undefined): string | undefined {
  const latents = wholeNumber(typed);
  if (latents === undefined || latents < 2) return vscode.l10n.t('Type a whole number from 2.');
  if (!options) return undefined;
  const { fits, memoryBytes } = latentChoice(latents, options);
  return fits ? undefined : vscode.l10n.t('That takes {0} of memory, more than there is.', bytes(memoryBytes));
}
