import * as vscode from 'vscode';
import { bytes, compact, duration, printable, whole } from '../../../shared/format.js';
import type { Estimate } from '../../../shared/messages.js';
import type { Parts } from '../../parts.js';
import { reportProblem } from '../../problem.js';
import { readSetting } from '../../settings.js';
import { toConfig, type Answers } from '../answers.js';
import { askEngine } from '../ask-engine.js';
import type { Step } from '../multi-step.js';
import { remember } from '../remembered.js';
import { saveConfig } from '../save.js';
import { startTraining } from '../start.js';
import { pick, type Row, type Rows } from '../step-ui.js';
import { choose, type Asking } from './asking.js';
import { modelLabel, sourceLabel } from './labels.js';

type Choice = 'start' | 'save' | { change: string };

/** Everything chosen, and what it will take. Enter starts without waiting for that to be measured. */
export function reviewStep(parts: Parts, { workbench }: Asking): Step<Answers> {
  return {
    name: 'review',
    applies: () => true,
    answered: () => false,
    ask: (answers, place) => {
      const config = toConfig(answers);
      const list = () =>
        pick<Choice>({
          place,
          placeholder: vscode.l10n.t('Enter starts the training'),
          rows: rowsOf(answers, startRow({ detail: vscode.l10n.t('Measuring time, disk and memory…') })),
          load: async (show, signal) => {
            const limit = readSetting('engine.memoryLimit') * 1e9;
            const task = { kind: 'estimate', config, ...(limit > 0 ? { memoryLimitBytes: limit } : {}) } as const;
            show(rowsOf(answers, measuredRow(await askEngine(workbench, task, signal))));
          },
        });
      return choose<Choice>(list, async (choice) => {
        if (typeof choice === 'object') return { to: 'step', name: choice.change };
        try {
          const done = choice === 'start' ? await startTraining(parts, config) : await saveConfig(workbench, config);
          if (done === undefined) return undefined;
        } catch (error) {
          // The answers are worth more than one attempt.
          await reportProblem(error, workbench.log);
          return undefined;
        }
        await remember(parts.context, answers);
        return { to: 'end' };
      });
    },
  };
}

function startRow(takes: { description?: string; detail: string }): Row<Choice> {
  return { label: `$(play) ${vscode.l10n.t('Start training')}`, ...takes, value: 'start' };
}

function measuredRow({ config, seconds, steps, tokens, exact, ...takes }: Estimate): Row<Choice> {
  const parts = [
    vscode.l10n.t('{0} tokens', (exact ? '' : '≈ ') + compact(tokens)),
    vscode.l10n.t('{0} steps', whole(steps)),
    vscode.l10n.t('epochs: {0}', whole(config.max_epochs)),
    vscode.l10n.t('disk: {0}', bytes(takes.disk_bytes)),
    vscode.l10n.t('memory: {0}', bytes(takes.memory_bytes)),
  ];
  // Below ten seconds there would be tenths, which no estimate has.
  const time = duration(Math.max(10, seconds));
  return startRow({ description: vscode.l10n.t('takes about {0}', time), detail: parts.join(' · ') });
}

function rowsOf(answers: Answers, start: Row<Choice>): Rows<Choice> {
  return [
    start,
    { label: `$(save) ${vscode.l10n.t('Save as *.sae.json…')}`, value: 'save' },
    { separator: vscode.l10n.t('Change') },
    ...changes(answers),
  ];
}

function changes(answers: Answers): Row<Choice>[] {
  const { model = null, hook, source, architecture, latents, k, coefficient } = answers;
  const rows: [step: string, label: string, said: string | undefined][] = [
    ['model', vscode.l10n.t('Model'), modelLabel(model)],
    ['hook', vscode.l10n.t('Hook point'), hook && printable(hook.name)],
    ['source', vscode.l10n.t('Text or activations'), source && sourceLabel(source)],
    ['layer', vscode.l10n.t('Layer'), layerLabel(answers)],
    ['architecture', vscode.l10n.t('Architecture'), architecture === 'standard' ? vscode.l10n.t('Standard') : 'TopK'],
    ['latents', vscode.l10n.t('Latents'), typeof latents === 'number' ? whole(latents) : vscode.l10n.t('usual')],
    architecture === 'standard' ? ['sparsity', 'λ', String(coefficient)] : ['sparsity', 'k', whole(k)],
  ];
  return rows.flatMap(([change, label, description]) =>
    description === undefined ? [] : [{ label: `$(edit) ${label}`, description, value: { change } }],
  );
}

function layerLabel({ model, source }: Answers): string | undefined {
  if (model !== null || source?.kind !== 'activations') return undefined;
  return typeof source.layer === 'number' ? whole(source.layer) : vscode.l10n.t('the only one');
}
