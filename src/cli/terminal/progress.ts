import type { EngineProgress } from '../../shared/events.js';
import { phaseNames } from '../../shared/wording.js';
import { compact, countdown, duration, fixed, real, whole } from '../../shared/format.js';
import { type Paint, plain } from './paint.js';

/** A task's progress as text: functions of events, which know no stream and keep no clock. */

/** What an engine reports, with the task's own clock in seconds; `training_progress` events are this too. */
export type Progress = EngineProgress & { elapsed_time: number };

const nameWidth = Math.max(...Object.values(phaseNames).map((name) => name.length));
const smallestBar = 5;
const largestBar = 28;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

function heading(event: Progress): string {
  if (event.status === 'queued') return 'Waiting';
  if (event.status === 'paused') return 'Paused';
  return event.status === 'starting' ? 'Starting' : phaseNames[event.phase];
}

function percentDone(event: Progress): string {
  // 100 is kept for what is done: rounding must not promise it early.
  const shown = event.phase_progress >= 100 ? 100 : Math.min(99.9, event.phase_progress);
  return `${shown.toFixed(1)}%`;
}

/** What is known in this phase, in reading order; where there is no room the least important (the highest `rank`) goes. */
function facts(event: Progress): { rank: number; text: string }[] {
  const { metrics } = event;
  const training = event.phase === 'training';
  const epochs = training && event.total_epochs > 1 && event.epoch > 0;
  return [
    { known: epochs, rank: 6, text: `epoch ${event.epoch}/${event.total_epochs}` },
    { known: event.tokens_per_second !== null, rank: 5, text: `${compact(event.tokens_per_second)} tok/s` },
    { known: training && metrics.train_loss !== null, rank: 2, text: `loss ${real(metrics.train_loss)}` },
    { known: training && metrics.l0 !== null, rank: 4, text: `L0 ${fixed(metrics.l0, 1)}` },
    {
      known: training && metrics.explained_variance !== null,
      rank: 3,
      text: `EV ${fixed(metrics.explained_variance, 3)}`,
    },
    { known: training && metrics.dead_features !== null, rank: 7, text: `dead ${whole(metrics.dead_features)}` },
    { known: event.estimated_remaining !== null, rank: 1, text: `ETA ${countdown(event.estimated_remaining)}` },
  ].filter(({ known }) => known);
}

function drawBar(part: number, width: number): string {
  const filled = Math.max(0, Math.min(1, part)) * width;
  const rest = eighths[Math.floor((filled % 1) * 8)]!;
  return `${'█'.repeat(Math.floor(filled))}${rest}`.padEnd(width, '░');
}

/** One line with a bar, at most `columns` wide: facts are left out, the least important first, until it fits. */
export function barLine(event: Progress, columns: number, paint: Paint = plain): string {
  const name = heading(event).padEnd(nameWidth);
  const percent = percentDone(event).padStart(6);
  let shown = facts(event);
  const tail = () => shown.map(({ text }) => `  ${text}`).join('');
  const room = () => columns - name.length - percent.length - tail().length - 2;
  while (shown.length > 0 && room() < smallestBar) {
    const least = Math.max(...shown.map(({ rank }) => rank));
    shown = shown.filter(({ rank }) => rank !== least);
  }
  if (room() < smallestBar) return `${name} ${percent}`.slice(0, Math.max(0, columns));
  const bar = drawBar(event.phase_progress / 100, Math.min(largestBar, room()));
  return `${paint.bold(name)} ${paint.green(bar)} ${percent}${tail()}`;
}

/** One line for a log or a pipe. */
export function progressLine(event: Progress): string {
  const step = event.phase === 'training' ? [`step ${whole(event.step)}/${whole(event.total_steps)}`] : [];
  const parts = [...step, ...facts(event).map(({ text }) => text), `elapsed ${duration(event.elapsed_time)}`];
  return `${heading(event)} ${percentDone(event)} · ${parts.join(' · ')}`;
}

/** A phase that is over: its last progress and how many seconds it took. */
export interface FinishedPhase {
  last: Progress;
  seconds: number;
}

/** The line that stays when a phase is over; `stopped` where it did not come to its own end. */
export function finishedLine({ last, seconds }: FinishedPhase, stopped = false, paint: Paint = plain): string {
  const name = phaseNames[last.phase].padEnd(nameWidth);
  const mark = stopped ? paint.red('✗') : paint.green('✓');
  const trained =
    last.phase === 'training' && last.step > 0
      ? `  ${whole(last.step)} steps · ${whole(last.tokens)} tokens · loss ${real(last.metrics.train_loss)}`
      : '';
  return `${mark} ${name} ${duration(seconds).padStart(7)}${trained}`;
}

/** Notices where one phase ends and the next begins, and how long each took, by the job's own clock. */
export class PhaseClock {
  #last: Progress | undefined;
  #since = 0;

  /** The phase that this event ended, if it did. */
  observe(event: Progress): FinishedPhase | undefined {
    const last = this.#last;
    this.#last = event;
    // A resumed job's clock does not begin at zero.
    if (!last) this.#since = event.elapsed_time;
    if (!last || last.phase === event.phase) return undefined;
    const seconds = Math.max(0, event.elapsed_time - this.#since);
    this.#since = event.elapsed_time;
    return { last, seconds };
  }

  /** The phase that was running when the job ended. */
  end(): FinishedPhase | undefined {
    const last = this.#last;
    this.#last = undefined;
    return last && { last, seconds: Math.max(0, last.elapsed_time - this.#since) };
  }
}
