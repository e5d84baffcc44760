import type { EngineProgress } from '../shared/events.js';

const shortestMs = 100;
const longestMs = 2000;

/**
 * Lets a job's progress through at the pace clients can follow: at most 10 times a second within an epoch and phase, at
 * least every 2 s, and always the last progress of every epoch, phase and status.
 */
export class ProgressGate {
  readonly #emit: (progress: EngineProgress) => void;
  #timer: NodeJS.Timeout | undefined;
  #sent: EngineProgress | undefined;
  /** When the next one may pass. */
  #due = -Infinity;
  #held: EngineProgress | undefined;

  constructor(emit: (progress: EngineProgress) => void) {
    this.#emit = emit;
  }

  push(progress: EngineProgress): void {
    const before = this.#held ?? this.#sent;
    if (before === undefined || !sameStretch(before, progress)) {
      this.flush();
      this.#send(progress);
      return;
    }
    this.#held = progress;
    const wait = this.#due - performance.now();
    if (wait <= 0) this.flush();
    else this.#schedule(wait);
  }

  /** Sends what is held back. */
  flush(): void {
    if (this.#held !== undefined) this.#send(this.#held);
  }

  /** Sends nothing more, not even repeats, until the next push. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#held = undefined;
  }

  #send(progress: EngineProgress): void {
    this.#held = undefined;
    this.#sent = progress;
    this.#due = this.#nextDue(performance.now());
    this.#schedule(longestMs);
    this.#emit(progress);
  }

  /** Counted from when this one was due: timers fire late, and a steady stream would become later with each message. */
  #nextDue(now: number): number {
    const late = now - this.#due;
    return (late >= 0 && late < shortestMs ? this.#due : now) + shortestMs;
  }

  /** In due time sends what is held, or the same again: so that time is seen to pass while nothing else changes. */
  #schedule(wait: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const next = this.#held ?? this.#sent;
      if (next !== undefined) this.#send(next);
    }, wait);
  }
}

function sameStretch(a: EngineProgress, b: EngineProgress): boolean {
  return a.status === b.status && a.phase === b.phase && a.epoch === b.epoch;
}
