/** How often a `Coalescer` sends. */
export interface Pace {
  /** Milliseconds between two sends in the long run. */
  everyMs: number;
  /** How much too early a send may be, in milliseconds, by what was left unused before. */
  aheadMs: number;
}

/**
 * Sends the newest value of each key, at a bounded pace: at once while the pace allows, else as soon as it does again. It
 * holds one value per key at most, however many are pushed.
 *
 * The pace is counted from when a send was due, not from when it happened (the generic cell rate algorithm, ITU-T I.371):
 * a stream that is already at this pace passes without delay although it jitters or has a message more now and then.
 */
export class Coalescer<T> {
  readonly #send: (values: T[]) => void;
  readonly #pace: Pace;
  readonly #held = new Map<string, T>();
  #due = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (values: T[]) => void, pace: Pace) {
    this.#send = send;
    this.#pace = pace;
  }

  push(key: string, value: T): void {
    this.#held.set(key, value);
    if (this.#timer !== undefined) return;
    const wait = this.#due - this.#pace.aheadMs - performance.now();
    if (wait <= 0) this.#flush();
    else
      this.#timer = setTimeout(() => {
        this.#flush();
      }, wait);
  }

  /** Forgets what is held of a key: something newer was sent by another way. */
  forget(key: string): void {
    this.#held.delete(key);
  }

  /** Forgets everything held. */
  clear(): void {
    this.#held.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #flush(): void {
    const values = [...this.#held.values()];
    this.clear();
    if (values.length === 0) return;
    this.#due = Math.max(this.#due, performance.now()) + this.#pace.everyMs;
    this.#send(values);
  }
}
