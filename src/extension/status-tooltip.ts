import { countdown, fixed, percent, real, whole } from '../shared/format.js';
import { isActive, possibleActions, type RunAction, type RunState } from '../shared/panel.js';
import { badgeOf } from '../shared/wording.js';
import { commandId } from './command-table.js';
import { commandLink, escapeMarkdown } from './markdown.js';
import { actionCommands } from './runs/action-commands.js';
import type { Translate } from './translate.js';

/** What a run's row offers to do to it. */
const offered = ['pause', 'resume', 'cancel'] as const satisfies RunAction[];

/** The commands that links of the tooltip may run. */
export const tooltipCommands = [
  ...(['openPanel', 'showLogs', 'trainSae', 'copyApiAddress'] as const),
  ...offered.map((action) => actionCommands[action]),
].map(commandId);

/** More runs than this make a tooltip that nobody reads. */
const mostRows = 10;

/**
 * The runs at work as a table with what can be done to each, and below it the ways to everything else. Markdown. `api`:
 * the address of the local API while it runs.
 */
export function statusTooltip(
  runs: readonly RunState[],
  recent: RunState | undefined,
  t: Translate,
  api?: string,
): string {
  const shown = [...runs.filter(isActive), ...(recent === undefined ? [] : [recent])];
  const more = shown.length - mostRows;
  const columns = [t('Run'), t('Status'), t('Loss'), 'L0', 'EV', t('Left'), ''];
  const table = shown.slice(0, mostRows).map((run) => row([...cellsOf(run), linksOf(run, t)]));
  const head = [row(columns), line(columns.map((_, i) => (i < 2 || i === 6 ? '---' : '---:')))];
  const links = [
    commandLink(`$(graph-line) ${t('Open Panel')}`, commandId('openPanel')),
    commandLink(`$(output) ${t('Show Logs')}`, commandId('showLogs')),
    commandLink(`$(play) ${t('Train SAE')}`, commandId('trainSae')),
  ];
  return [
    ...(shown.length === 0 ? [t('Nothing is being trained. Runs: {0}', whole(runs.length))] : [...head, ...table]),
    ...(more > 0 ? ['', t('and {0} more', more)] : []),
    '',
    links.join(space.repeat(3)),
    ...(api === undefined ? [] : ['', apiLine(api, t)]),
  ].join('\n');
}

const space = '&nbsp;';

/** In code: an address in a text would become a link, which without the token opens nothing. */
function apiLine(url: string, t: Translate): string {
  const copy = commandLink(`$(copy) ${t('Copy API Address')}`, commandId('copyApiAddress'));
  return `${t('API at {0}', `\`${url}\``)}${space.repeat(3)}${copy}`;
}

const unbroken = (text: string) => text.replaceAll(' ', space);

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** VS Code's tables leave no room between their columns. */
const row = (cells: readonly string[]) => line(cells.map((cell) => cell + space.repeat(2)));

function cellsOf({ name, progress }: RunState): string[] {
  const { status, metrics } = progress;
  const state = unbroken(`${badgeOf(status).text} ${percent(progress.progress / 100)}`);
  const numbers = [real(metrics.train_loss), fixed(metrics.l0, 1), fixed(metrics.explained_variance, 3)];
  return [escapeMarkdown(name), state, ...numbers, countdown(progress.estimated_remaining)];
}

function linksOf(run: RunState, t: Translate): string {
  const labels = { pause: t('Pause'), resume: t('Resume'), cancel: t('Cancel') };
  const possible = possibleActions(run);
  return offered
    .filter((action) => possible.includes(action))
    .map((action) => commandLink(labels[action], commandId(actionCommands[action]), run.id))
    .join(space.repeat(2));
}
