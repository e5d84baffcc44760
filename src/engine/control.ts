import { setImmediate } from 'node:timers/promises';
import { profiler } from './profile.js';

/** Thrown at the next chunk after a cancel request. */
export class Cancelled extends Error {}

/**
 * Pause and cancel. ONNX Runtime blocks the event loop while it computes, so messages arrive only between chunks:
 * whoever loops over chunks calls `breathe` in between.
 */
export class Control {
  #cancelled = false;
  #resume: (() => void) | undefined;
  #paused: Promise<void> | undefined;
  readonly #listeners: ((paused: boolean) => void)[] = [];

  /** Is told when work really stops and goes on again; the listener that came last first. */
  onPause(listener: (paused: boolean) => void): void {
    this.#listeners.unshift(listener);
  }

  pause(): void {
    this.#paused ??= new Promise((resolve) => (this.#resume = resolve));
  }

  resume(): void {
    this.#resume?.();
    this.#paused = undefined;
  }

  cancel(): void {
    this.#cancelled = true;
    this.resume();
  }

  /** Lets messages in, waits while paused. @throws Cancelled */
  async breathe(): Promise<void> {
    await setImmediate();
    if (this.#paused && !this.#cancelled) {
      for (const listener of this.#listeners) listener(true);
      await profiler.spend('idle', () => this.#paused!);
      for (const listener of this.#listeners) listener(false);
    }
    if (this.#cancelled) throw new Cancelled();
  }
}
