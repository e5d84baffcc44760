import assert from 'node:assert/strict';
import type { Random } from '../../../../src/engine/random.js';
import type { ServerMessage } from '../../../../src/shared/api.js';
import { FrameClient, type Heard } from './frame-client.js';
import type { Frames, Utterance } from './frames.js';

const mostUtterances = 50;
/** With more errors than this a client is shown the door. */
const mostErrors = 100;

const handshakes: Record<string, string>[] = [
  { 'Sec-WebSocket-Version': '12' },
  { 'Sec-WebSocket-Key': 'x' },
  { 'Sec-WebSocket-Protocol': 'a,,b;' },
  { 'Sec-WebSocket-Protocol': 'bearer.' },
  { 'Sec-WebSocket-Extensions': 'permessage-deflate; =' },
  { Upgrade: 'h2c' },
  { Authorization: 'Bearer x' },
  { Origin: 'http://evil.test' },
  { Host: 'evil.test' },
];

/** Speaks to the server once, from the handshake to the end of the connection, and returns how many frames that were. */
export class Conversation {
  readonly #random: Random;
  readonly #frames: Frames;
  readonly #client: FrameClient;
  /** Judges a message of the server's that is no reply. */
  readonly #onEvent: (event: ServerMessage) => void;
  #sent = 0;

  constructor(random: Random, frames: Frames, port: number, onEvent: (event: ServerMessage) => void) {
    this.#random = random;
    this.#frames = frames;
    this.#client = new FrameClient(port);
    this.#onEvent = onEvent;
  }

  /** What was heard, for the message of a fault. */
  get story(): string {
    return JSON.stringify(this.#client.heard.slice(-5)).slice(0, 2000);
  }

  async hold(): Promise<number> {
    const odd = handshakes[this.#random.below(200)];
    const status = await this.#client.open(odd);
    if (status !== 101) {
      assert.ok(odd !== undefined && status >= 400 && status < 500, `the handshake is answered ${status}`);
      await this.#client.closed();
      return 1;
    }
    const said = Array.from({ length: this.#random.below(mostUtterances) }, () => this.#frames.answered());
    this.#say(said);
    await this.#finish(said);
    return this.#sent;
  }

  async #finish(said: readonly Utterance[]): Promise<void> {
    const { socket } = this.#client;
    const ending = this.#random.below(12);
    if (ending < 3) return this.#end(said, this.#frames.goodbye());
    if (ending < 7) return this.#end(said, this.#frames.violation());
    if (ending === 7) return this.#end(said, this.#frames.abuse());
    if (ending > 8) await this.#answered(replies(said), said);
    // Gone in the middle of a frame, with or without a goodbye of TCP, or after bytes that are none.
    const { bytes } = ending % 2 === 0 ? this.#frames.answered() : this.#frames.noise();
    this.#sent++;
    socket.write(bytes.subarray(0, this.#random.below(bytes.length + 1)));
    if (this.#random.below(2) === 0) socket.resetAndDestroy();
    else socket.end();
    await this.#client.closed();
  }

  async #end(said: readonly Utterance[], last: Utterance): Promise<void> {
    this.#say([last]);
    const due = replies(said);
    // By then so many of its messages were an error.
    const errors = due.filter((reply) => reply !== 'pong').length;
    if (last.frames > mostErrors) due.push(...Array<string>(mostErrors - errors).fill('no_type'));
    await this.#client.until((heard) => heard.some(({ type }) => type === 'close'));
    await this.#answered(due, said);
    const codes = this.#client.heard.flatMap((each) => (each.type === 'close' ? [each.code] : []));
    assert.equal(codes.length, 1);
    assert.ok(last.closes?.includes(codes[0]!), `closed with ${codes[0]} instead of ${last.closes?.join(' or ')}`);
    await this.#client.closed();
  }

  /** Waits for what is due and no more, in order. */
  async #answered(due: readonly string[], said: readonly Utterance[]): Promise<void> {
    const echoes = said.flatMap((each) => (each.due && 'echo' in each.due ? [each.due.echo] : []));
    await this.#client.until(
      (heard) => repliesIn(heard).length >= due.length && pongsIn(heard).length >= echoes.length,
    );
    const { heard } = this.#client;
    assert.deepEqual(repliesIn(heard), due);
    assert.deepEqual(pongsIn(heard), echoes);
    for (const each of heard)
      if (each.type === 'message' && replyOf(each.message) === null) this.#onEvent(each.message);
  }

  /** Writes in pieces that keep to no frame's limits. */
  #say(utterances: readonly Utterance[]): void {
    const bytes = Buffer.concat(utterances.map((each) => each.bytes));
    for (const { frames } of utterances) this.#sent += frames;
    const most = [20, 1000, 100_000][this.#random.below(3)]!;
    const piece = bytes.length > 50_000 ? 100_000 : most;
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + this.#random.below(piece);
      this.#client.socket.write(bytes.subarray(at, end));
      at = end;
    }
  }
}

function replies(said: readonly Utterance[]): string[] {
  return said.flatMap((each) => (each.due && 'reply' in each.due ? [each.due.reply] : []));
}

/** What a message answers; null if it is an event. */
function replyOf(message: ServerMessage): string | null {
  if (message.type === 'error') return message.code;
  return message.type === 'pong' ? message.type : null;
}

function repliesIn(heard: readonly Heard[]): string[] {
  return heard.flatMap((each) => (each.type === 'message' ? (replyOf(each.message) ?? []) : []));
}

function pongsIn(heard: readonly Heard[]): Buffer[] {
  return heard.flatMap((each) => (each.type === 'pong' ? [each.payload] : []));
}
