import * as vscode from 'vscode';
import { toProblem } from '../../../shared/errors.js';
import { printable, whole } from '../../../shared/format.js';
import type { HookDescription } from '../../../shared/messages.js';
import type { Answers, Hook } from '../answers.js';
import { askEngine } from '../ask-engine.js';
import { byLayer, usualHook } from '../hooks.js';
import type { Step } from '../multi-step.js';
import { input, pick, type Row, type Rows } from '../step-ui.js';
import { answered, choose, next, type Asking } from './asking.js';

type Choice = Hook | 'tensor';

/** Where in the model. The engine lists the places, once for each model. */
export function hookStep({ workbench, last }: Asking): Step<Answers> {
  const known = new Map<string, readonly HookDescription[]>();
  return {
    name: 'hook',
    applies: ({ model }) => model !== null,
    answered: ({ hook }) => hook !== undefined,
    ask: (answers, place) => {
      const model = answers.model!;
      const before = answers.hook ?? (last.model === model ? last.hook : undefined);
      const list = () => {
        let offered = before?.name;
        return pick<Choice>({
          place,
          placeholder: vscode.l10n.t('The hook point: where in the model activations are read'),
          preferred: (choice) => choice !== 'tensor' && choice.name === offered,
          load: async (show, signal) => {
            try {
              const hooks = known.get(model) ?? (await askEngine(workbench, { kind: 'hooks', model }, signal)).hooks;
              known.set(model, hooks);
              offered ??= usualHook(hooks)?.name;
              show(rowsOf(hooks, before));
            } catch (error) {
              if (toProblem(error).code === 'hook_not_found') show([tensorRow()]);
              throw error;
            }
          },
        });
      };
      return choose(list, async (choice) => {
        if (choice !== 'tensor') return next(answers, { hook: choice });
        const name = await input({
          place,
          prompt: vscode.l10n.t(
            'A float tensor of the graph, by its name; a viewer such as netron.app shows the names',
          ),
          value: before?.layer === null ? before.name : '',
          validate: (text) => (text.trim() === '' ? vscode.l10n.t('Type the name of a tensor.') : undefined),
        });
        return answered(name, answers, (text) => ({ hook: { name: text.trim(), layer: null, width: null } }));
      });
    },
  };
}

function rowsOf(hooks: readonly HookDescription[], before: Hook | undefined): Rows<Choice> {
  const rows = [...byLayer(hooks)].flatMap(([layer, inLayer]) => [
    { separator: layer === null ? vscode.l10n.t('Before the layers') : vscode.l10n.t('Layer {0}', layer) },
    ...inLayer.map(hookRow),
  ]);
  const named = before && !hooks.some(({ name }) => name === before.name) ? [hookRow(before)] : [];
  return [...rows, { separator: '' }, ...named, tensorRow()];
}

function hookRow({ name, layer, width }: Hook): Row<Choice> {
  const description = width === null ? undefined : vscode.l10n.t('width {0}', whole(width));
  return { label: printable(name), ...(description ? { description } : {}), value: { name, layer, width } };
}

function tensorRow(): Row<Choice> {
  return { label: `$(symbol-string) ${vscode.l10n.t('Another tensor of the graph…')}`, value: 'tensor' };
}
