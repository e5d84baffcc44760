/** Something that is drawn again now and then; costly enough that not all of them fit into one frame. */
export interface Drawable {
  draw(): void;
}

/** What the queue needs of a browser; times in milliseconds. */
export interface Frames {
  now(): number;
  /** Calls back before the next frame is painted. */
  request(callback: () => void): void;
  /** Calls back after so many milliseconds. */
  wait(callback: () => void, milliseconds: number): void;
}

const browser: Frames = {
  now: () => performance.now(),
  request: (callback) => requestAnimationFrame(callback),
  wait: (callback, milliseconds) => setTimeout(callback, milliseconds),
};

/** Shortest time between two drawings of the same chart, and most of a frame's time that all of them may take. */
const interval = 400;
const budget = 6;

/**
 * Shares frames among charts: each is drawn when asked for, but at most every 400 ms and only as many in one frame as fit
 * into 6 ms (one, if it takes longer), so that no task grows with the number of charts.
 */
export class RedrawQueue {
  /** Charts that wait, in the order of asking, each with the time before which it is not drawn. */
  readonly #waiting = new Map<Drawable, number>();
  readonly #drawn = new WeakMap<Drawable, number>();
  readonly #frames: Frames;
  /** When the next look at the waiting ones is planned. */
  #planned = Infinity;

  constructor(frames: Frames = browser) {
    this.#frames = frames;
  }

  /** Has a chart drawn with what it shows by then; `soon` when a person waits for it: in the next frame with room. */
  request(chart: Drawable, soon = false): void {
    const due = soon ? 0 : (this.#drawn.get(chart) ?? -Infinity) + interval;
    this.#waiting.set(chart, Math.min(due, this.#waiting.get(chart) ?? Infinity));
    this.#schedule(due);
  }

  cancel(chart: Drawable): void {
    this.#waiting.delete(chart);
  }

  #schedule(due: number): void {
    const now = this.#frames.now();
    const at = Math.max(due, now);
    if (at >= this.#planned) return;
    this.#planned = at;
    if (at === now) this.#frames.request(this.#frame);
    else
      this.#frames.wait(() => {
        this.#frames.request(this.#frame);
      }, at - now);
  }

  readonly #frame = (): void => {
    this.#planned = Infinity;
    const start = this.#frames.now();
    try {
      for (const [chart, due] of this.#waiting) {
        const now = this.#frames.now();
        if (now - start >= budget) break;
        if (due > now) continue;
        this.#waiting.delete(chart);
        this.#drawn.set(chart, now);
        chart.draw();
      }
    } finally {
      if (this.#waiting.size > 0) this.#schedule(Math.min(...this.#waiting.values()));
    }
  };
}

/** The queue of this page. */
export const redraws = new RedrawQueue();
