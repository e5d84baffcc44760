import type { Socket } from 'node:net';

/**
 * The TCP connections of a server. At most so many are open: at the limit, the one that has been of no use for longest
 * makes room for a new one, so that whoever opens connections and leaves them idle locks nobody out.
 */
export class Connections {
  readonly #most: number;
  readonly #onFull: () => void;
  /** Connections that nothing allowed happens on, longest first. */
  readonly #idle = new Set<Socket>();
  /** How many requests (or one WebSocket client) each of the others serves. */
  readonly #held = new Map<Socket, number>();
  #closing = false;

  /** `onFull` is called whenever a connection is closed to keep to the limit. */
  constructor(most: number, onFull: () => void) {
    this.#most = most;
    this.#onFull = onFull;
  }

  add(socket: Socket): void {
    if (this.#idle.size + this.#held.size >= this.#most) {
      this.#onFull();
      const [longest = socket] = this.#idle;
      this.#forget(longest);
      longest.destroy();
      if (longest === socket) return;
    }
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#forget(socket);
    });
  }

  /** Keeps a connection open, whatever others come, until the function that is returned is called. */
  hold(socket: Socket): () => void {
    this.#idle.delete(socket);
    this.#held.set(socket, (this.#held.get(socket) ?? 0) + 1);
    let released = false;
    return () => {
      if (!released) this.#release(socket);
      released = true;
    };
  }

  /** Ends idle connections now, the others as they become idle, and all that are left after `graceMs`. */
  close(graceMs: number): void {
    this.#closing = true;
    for (const socket of this.#idle) socket.destroy();
    const timer = setTimeout(() => {
      for (const socket of this.#held.keys()) socket.destroy();
    }, graceMs);
    timer.unref();
  }

  #release(socket: Socket): void {
    const holds = this.#held.get(socket);
    // Closed meanwhile.
    if (holds === undefined) return;
    if (holds > 1) {
      this.#held.set(socket, holds - 1);
      return;
    }
    this.#held.delete(socket);
    this.#idle.add(socket);
    if (this.#closing) socket.destroySoon();
  }

  #forget(socket: Socket): void {
    this.#idle.delete(socket);
    this.#held.delete(socket);
  }
}
