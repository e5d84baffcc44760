import type { LogLevel } from '../../shared/logs.js';
import { paintFor, type Paint } from './paint.js';
import { barLine, finishedLine, PhaseClock, type Progress, progressLine } from './progress.js';

/** Where a task's progress becomes visible. */
export interface Display {
  /** The least severe log records worth showing beside this progress. */
  readonly consoleLevel: LogLevel;
  progress(event: Progress): void;
  /** A line beside the progress, such as a warning; it never lands inside a bar. */
  line(text: string): void;
  /** Leaves the terminal as it was found; `stopped` if the task did not come to its own end. */
  close(stopped: boolean): void;
}

/** Clears to the end of the screen: a window made narrower has broken the old bar into several rows. */
const clearBar = '\r\u001b[J';

/**
 * One bar that is redrawn in place; a finished phase stays above it as a line. It hides no cursor and changes no
 * terminal mode, so that a killed process leaves nothing to repair.
 */
export class LiveDisplay implements Display {
  readonly consoleLevel = 'WARNING';
  readonly #stream: NodeJS.WriteStream;
  readonly #paint: Paint;
  readonly #clock = new PhaseClock();
  #drawn = '';

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#paint = paintFor(stream);
  }

  progress(event: Progress): void {
    const finished = this.#clock.observe(event);
    if (finished) this.line(finishedLine(finished, false, this.#paint));
    // A full last column makes some terminals wrap, and then the line cannot be taken back. Some report no size at all.
    this.#draw(barLine(event, (this.#stream.columns || 80) - 1, this.#paint));
  }

  line(text: string): void {
    const bar = this.#drawn;
    this.#draw('');
    this.#stream.write(`${text}\n`);
    this.#draw(bar);
  }

  close(stopped: boolean): void {
    this.#draw('');
    const finished = this.#clock.end();
    if (finished) this.#stream.write(`${finishedLine(finished, stopped, this.#paint)}\n`);
  }

  #draw(text: string): void {
    if (text === this.#drawn) return;
    // The cursor rests at the beginning: a terminal echoes ^C there, and at the end of a full line it would wrap.
    this.#stream.write(`${clearBar}${text}\r`);
    this.#drawn = text;
  }
}

/** A line every so many seconds of the task's own time and one at each phase's end, for pipes and files. */
export function lineDisplay(stream: NodeJS.WritableStream, seconds = 5): Display {
  const clock = new PhaseClock();
  let shown: number | undefined;
  const line = (text: string) => void stream.write(`${text}\n`);
  return {
    consoleLevel: 'INFO',
    progress(event) {
      const finished = clock.observe(event);
      if (finished) line(finishedLine(finished));
      shown ??= event.elapsed_time;
      if (event.elapsed_time - shown < seconds) return;
      shown = event.elapsed_time;
      line(progressLine(event));
    },
    line,
    close(stopped) {
      const finished = clock.end();
      if (finished) line(finishedLine(finished, stopped));
    },
  };
}

/** No progress; only log records of the level and above. */
export function silentDisplay(stream: NodeJS.WritableStream, consoleLevel: LogLevel): Display {
  return {
    consoleLevel,
    progress: () => undefined,
    line: (text) => void stream.write(`${text}\n`),
    close: () => undefined,
  };
}

/** The display that fits the stream and what was asked for. */
export function displayFor(
  stream: NodeJS.WriteStream,
  options: { quiet?: boolean | undefined; json?: boolean | undefined },
): Display {
  if (options.quiet) return silentDisplay(stream, 'WARNING');
  if (options.json) return silentDisplay(stream, 'INFO');
  return stream.isTTY && process.env.TERM !== 'dumb' ? new LiveDisplay(stream) : lineDisplay(stream);
}
