/** Measures working time: seconds that it ran, pauses left out. */
export class Stopwatch {
  #done: number;
  #since: number | undefined;

  /** `seconds`: what earlier attempts took. */
  constructor(seconds = 0) {
    this.#done = seconds;
  }

  start(): void {
    this.#since ??= performance.now();
  }

  stop(): void {
    this.#done = this.seconds;
    this.#since = undefined;
  }

  get seconds(): number {
    return this.#done + (this.#since === undefined ? 0 : (performance.now() - this.#since) / 1000);
  }
}
