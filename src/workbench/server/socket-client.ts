import { WebSocket } from 'ws';
import { replyTo } from './client-message.js';
import type { FeedEvent } from './event-feed.js';
import { Outbox } from './outbox.js';

/** More answers than this that tell of an error, within that time, and a client is shown the door. */
const mostErrors = 100;
const errorsMs = 10_000;

/** Close codes of RFC 6455. */
const goingAway = 1001;
const cutOff = 1006;
const policyViolation = 1008;

/** One WebSocket client. */
export class SocketClient {
  readonly #socket: WebSocket;
  readonly #outbox: Outbox;
  readonly #since = performance.now();
  /** When the newest errors were answered, oldest first. */
  readonly #errors: number[] = [];
  #heard = true;
  #leaving = false;
  /** Why the connection ends, where this side knows it. */
  #reason: string | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#outbox = new Outbox(socket, () => {
      if (this.#leaving) this.#end(goingAway, 'the server closes');
    });
    socket.on('message', (data, isBinary) => {
      this.#heard = true;
      if (Buffer.isBuffer(data)) this.#answer(data, isBinary);
    });
    socket.on('pong', () => (this.#heard = true));
    socket.on('ping', () => (this.#heard = true));
    // Malformed frames, bytes that are not UTF-8, a connection that breaks: it is closed with the code for that.
    socket.on('error', (error) => (this.#reason ??= error.message));
  }

  tell(event: FeedEvent): void {
    if (this.#isOpen()) this.#outbox.tell(event);
  }

  /** Whether there was a sign of life since the last ping. */
  get isAlive(): boolean {
    return this.#heard;
  }

  ping(): void {
    this.#heard = false;
    if (this.#isOpen()) this.#socket.ping();
  }

  /** Says goodbye when what waits has been sent. */
  leave(): void {
    this.#leaving = true;
    if (this.#outbox.isEmpty) this.#end(goingAway, 'the server closes');
  }

  terminate(reason: string): void {
    this.#reason ??= reason;
    this.#socket.terminate();
  }

  /** How it went, for the log. `code`: with which the connection was closed. */
  summary(code: number): string {
    const { sent, leftOut } = this.#outbox;
    const seconds = ((performance.now() - this.#since) / 1000).toFixed(1);
    // told to go it did not answer, whoever cut it off then
    const reason = this.#leaving && code === cutOff ? 'still connected when the server closed' : this.#reason;
    const why = reason === undefined ? '' : `, ${reason}`;
    const missed = leftOut === 0 ? '' : `, ${leftOut} progress messages left out because it was slow`;
    return `disconnected (${code}${why}) after ${seconds} s, ${sent} messages sent${missed}`;
  }

  #answer(bytes: Buffer, isBinary: boolean): void {
    if (!this.#isOpen()) return;
    const reply = replyTo(bytes, isBinary);
    if (reply.type === 'error' && this.#isAbuse()) this.#end(policyViolation, 'too many messages that are no use');
    else this.#outbox.reply(reply);
  }

  #isAbuse(): boolean {
    const now = performance.now();
    this.#errors.push(now);
    while (now - this.#errors[0]! > errorsMs) this.#errors.shift();
    return this.#errors.length > mostErrors;
  }

  #isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  #end(code: number, reason: string): void {
    this.#reason ??= reason;
    this.#socket.close(code, reason);
  }
}
