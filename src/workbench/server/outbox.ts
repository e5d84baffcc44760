import type { WebSocket } from 'ws';
import type { FeedEvent } from './event-feed.js';

/** While more bytes than this wait in the connection, no more are put there. */
const mostBuffered = 256 * 1024;
/** Where replies wait; no job has this id. */
const replies = '';

/**
 * What is sent to one client. For one that reads too slowly the newest progress of each job is kept, and every terminal
 * event, each job's in order; progress in between is left out.
 */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #onEmpty: () => void;
  /** By job, in order. */
  readonly #waiting = new Map<string, Pick<FeedEvent, 'bytes' | 'replaceable'>[]>();
  #sent = 0;
  #leftOut = 0;

  /** `onEmpty` is called when something waited and nothing does any more. */
  constructor(socket: WebSocket, onEmpty: () => void) {
    this.#socket = socket;
    this.#onEmpty = onEmpty;
  }

  /** Messages sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Progress messages left out because the client was too slow. */
  get leftOut(): number {
    return this.#leftOut;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  tell(event: FeedEvent): void {
    if (this.isEmpty && this.#hasRoom()) this.#send(event.bytes);
    else this.#keep(event);
  }

  /** Answers a message. A client that asks on without reading the answers gets only the last of them. */
  reply(message: object): void {
    const bytes = Buffer.from(JSON.stringify(message));
    if (this.isEmpty && this.#hasRoom()) this.#send(bytes);
    else this.#waiting.set(replies, [{ bytes, replaceable: false }]);
  }

  #hasRoom(): boolean {
    return this.#socket.bufferedAmount <= mostBuffered;
  }

  #keep(event: FeedEvent): void {
    const events = this.#waiting.get(event.jobId) ?? [];
    this.#waiting.set(event.jobId, events);
    if (event.replaceable && events.at(-1)?.replaceable) {
      events.pop();
      this.#leftOut++;
    }
    events.push(event);
  }

  #send(bytes: Buffer): void {
    this.#sent++;
    this.#socket.send(bytes, { binary: false }, this.#onTaken);
  }

  /** Some of what was sent has left the connection: there may be room for what waits. */
  readonly #onTaken = (error?: Error | null): void => {
    // After an error the connection is about to end, and says why by itself.
    if (!error && !this.isEmpty) this.#sendWaiting();
  };

  #sendWaiting(): void {
    for (let [first] = this.#waiting; first !== undefined && this.#hasRoom(); [first] = this.#waiting) {
      const [job, events] = first;
      const next = events.shift();
      if (events.length === 0) this.#waiting.delete(job);
      if (next !== undefined) this.#send(next.bytes);
    }
    if (this.isEmpty) this.#onEmpty();
  }
}
