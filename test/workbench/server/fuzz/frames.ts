import type { Random } from '../../../../src/engine/random.js';
import { mostBytes } from '../../../../src/shared/api.js';
import type { JsonValues, Schema } from './json-values.js';

/** What a client says in one go, and what is due for it. */
export interface Utterance {
  bytes: Buffer;
  /** Frames it consists of. */
  frames: number;
  /** A message of this type, or with this error code; `echo`: a pong frame with this payload. */
  due?: { reply: string } | { echo: Buffer };
  /** The connection ends after it, from the server's side and with one of these codes. */
  closes?: readonly number[];
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  final?: boolean;
  /** Bits that no extension has given a meaning. */
  reserved?: number;
  masked?: boolean;
  /** What the head says, where that is not the payload's length. */
  length?: bigint;
}

/** A frame of a client, RFC 6455 §5.2. */
export function frame(opcode: number, payload: Buffer, options: FrameOptions = {}): Buffer {
  const { final = true, reserved = 0, masked = true, length = BigInt(payload.length) } = options;
  const first = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  const mask = masked ? Buffer.from([0x37, 0xfa, 0x21, 0x3d]) : Buffer.alloc(0);
  const short = length < 126n ? Number(length) : length < 65_536n ? 126 : 127;
  const head = Buffer.from([first, (masked ? 0x80 : 0) | short]);
  const extended = Buffer.alloc(short === 126 ? 2 : short === 127 ? 8 : 0);
  if (short === 126) extended.writeUInt16BE(Number(length));
  if (short === 127) extended.writeBigUInt64BE(length);
  const body = Buffer.from(payload);
  if (masked) for (let i = 0; i < body.length; i++) body[i]! ^= mask[i % 4]!;
  return Buffer.concat([head, extended, mask, body]);
}

/** How the server answers a text, by the contract. */
export function replyDue(text: string): string {
  if (Buffer.byteLength(text) > mostBytes) return 'too_large';
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return 'not_json';
  }
  if (typeof message !== 'object' || message === null || !('type' in message) || typeof message.type !== 'string')
    return 'no_type';
  return message.type === 'ping' ? 'pong' : 'unknown_type';
}

const mostPayload = 1024 * 1024;
const protocolError = [1002];
const text = (content: string) => Buffer.from(content);
const closing = (code: number, reason = '') => {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, text(reason)]);
};
const notUtf8 = [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0xaf], [0xe2, 0x82]];

/** What ends a connection at once, with the code that says why. */
const violations: (readonly [string, Buffer, readonly number[]])[] = [
  ['no mask', frame(opcodes.text, text('{"type":"ping"}'), { masked: false }), protocolError],
  ['a reserved bit', frame(opcodes.text, text('{}'), { reserved: 4 }), protocolError],
  ['another one', frame(opcodes.ping, text(''), { reserved: 1 }), protocolError],
  ['a reserved opcode', frame(3, text('{}')), protocolError],
  ['a reserved control opcode', frame(11, text('')), protocolError],
  ['a long ping', frame(opcodes.ping, Buffer.alloc(126)), protocolError],
  ['a ping in parts', frame(opcodes.ping, text(''), { final: false }), protocolError],
  ['nothing to continue', frame(opcodes.continuation, text('{}')), protocolError],
  [
    'two messages at once',
    Buffer.concat([frame(opcodes.text, text('{'), { final: false }), frame(opcodes.text, text('}'))]),
    protocolError,
  ],
  ['half a code', frame(opcodes.close, Buffer.from([3])), protocolError],
  ['a code that is none', frame(opcodes.close, closing(1005)), protocolError],
  ['a code out of range', frame(opcodes.close, closing(65_535)), protocolError],
  ['a reason that is no text', frame(opcodes.close, Buffer.concat([closing(1000), Buffer.from([0xff])])), [1007]],
  ['a length beyond all numbers', frame(opcodes.text, text(''), { length: 2n ** 63n }), [1009]],
  ['a length beyond all memory', frame(opcodes.binary, text(''), { length: 2n ** 40n }), [1009]],
  ['one byte too many', frame(opcodes.text, Buffer.alloc(mostPayload + 1, 0x20)), [1009]],
  ...notUtf8.map((bytes) => ['no UTF-8', frame(opcodes.text, Buffer.from(bytes)), [1007]] as const),
];

/** Utterances from a seed. */
export class Frames {
  readonly #random: Random;
  readonly #values: JsonValues;
  readonly #schema: Schema;

  /** `schema`: of a client's messages. */
  constructor(random: Random, values: JsonValues, schema: Schema) {
    this.#random = random;
    this.#values = values;
    this.#schema = schema;
  }

  /** Something that is answered, and after which the connection goes on. */
  answered(): Utterance {
    const values = this.#values;
    const kind = this.#random.below(20);
    if (kind < 5) return this.#message(values.text(values.valid(this.#schema)));
    if (kind < 8) return this.#message(values.text(values.broken(this.#schema)));
    if (kind < 10) return this.#message(values.text(values.any()));
    if (kind < 12) return this.#message(this.#cut(values.text(values.broken(this.#schema))));
    if (kind === 12)
      return this.#message(values.pick(['', ' ', 'ping', '[', '\ufeff{"type":"ping"}', '{"type":"ping"}x']));
    if (kind === 13) return this.#message(values.pick(['[', '{"type":']).repeat(values.pick([100, 8000])));
    if (kind === 14) return this.#sized();
    if (kind === 15) return this.#binary();
    if (kind === 16) return { bytes: frame(opcodes.pong, this.#bytes(126)), frames: 1 };
    const payload = this.#bytes(126);
    return { bytes: frame(opcodes.ping, payload), frames: 1, due: { echo: payload } };
  }

  /** Something that ends the connection. */
  violation(): Utterance {
    const [, bytes, closes] = this.#values.pick(violations);
    return { bytes, frames: 1, closes };
  }

  /** So many useless messages that the server has enough of them. */
  abuse(): Utterance {
    const bytes = Buffer.concat(Array.from({ length: 150 }, () => frame(opcodes.text, text('{}'))));
    return { bytes, frames: 150, closes: [1008] };
  }

  /** A goodbye, which is answered by one. */
  goodbye(): Utterance {
    const code = this.#values.pick([1000, 1001, 1003, 3000, 4999]);
    return {
      bytes: frame(opcodes.close, closing(code, 'é'.repeat(this.#random.below(60)))),
      frames: 1,
      closes: [code],
    };
  }

  /** Bytes that are anything. */
  noise(): Utterance {
    return { bytes: this.#bytes(300), frames: 1 };
  }

  #message(content: string): Utterance {
    const payload = text(content);
    const due = { reply: replyDue(payload.toString()) };
    if (!this.#values.chance(0.3)) return { bytes: frame(opcodes.text, payload), frames: 1, due };
    const parts = this.#parts(payload);
    const frames = parts.map((part, i) =>
      frame(i === 0 ? opcodes.text : opcodes.continuation, part, { final: i === parts.length - 1 }),
    );
    // Control frames may come between those of a message.
    if (frames.length > 1 && this.#values.chance(0.5)) frames.splice(1, 0, frame(opcodes.pong, text('between')));
    return { bytes: Buffer.concat(frames), frames: frames.length, due };
  }

  /** A message at a limit. */
  #sized(): Utterance {
    const length = this.#values.pick([125, 126, 65_535, mostBytes - 1, mostBytes, mostBytes + 1, 200_000, mostPayload]);
    return this.#message('{"type":"ping"}'.padEnd(length));
  }

  #binary(): Utterance {
    const payload = this.#values.chance(0.5) ? text('{"type":"ping"}') : this.#bytes(70_000);
    const reply = payload.length > mostBytes ? 'too_large' : 'not_json';
    return { bytes: frame(opcodes.binary, payload), frames: 1, due: { reply } };
  }

  #parts(payload: Buffer): Buffer[] {
    const cuts = Array.from({ length: this.#random.below(5) }, () => this.#random.below(payload.length + 1));
    const ends = [0, ...cuts.sort((a, b) => a - b), payload.length];
    return ends.slice(1).map((end, i) => payload.subarray(ends[i], end));
  }

  #cut(content: string): string {
    return content.slice(0, this.#random.below(content.length + 1));
  }

  #bytes(most: number): Buffer {
    return Buffer.from(Array.from({ length: this.#random.below(most) }, () => this.#random.below(256)));
  }
}
