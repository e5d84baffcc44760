import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ServerMessage } from '../../../../src/shared/api.js';
import { head, upgrade } from '../open-server.js';
import { frame, opcodes } from './frames.js';

/** What the server said. */
export type Heard =
  { type: 'message'; message: ServerMessage } | { type: 'pong'; payload: Buffer } | { type: 'close'; code: number };

/** Every connection is done within this. */
const patienceMs = 20_000;

/** A WebSocket client that sends whatever bytes it is given, and takes what comes apart by itself. */
export class FrameClient {
  readonly socket: Socket;
  readonly heard: Heard[] = [];
  readonly #signal = AbortSignal.timeout(patienceMs);
  readonly #closed: Promise<void>;
  #rest: Buffer = Buffer.alloc(0);
  #status: number | undefined;
  #onHeard: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => {
      this.#take(chunk);
    });
    this.#closed = new Promise((resolve) =>
      this.socket.once('close', () => {
        resolve();
      }),
    );
  }

  /** Asks for a WebSocket; the status of the answer. */
  async open(more: Record<string, string> = {}): Promise<number> {
    await once(this.socket, 'connect', { signal: this.#signal });
    this.socket.write(head('GET /ws', { ...upgrade, ...more }));
    await this.#until(() => this.#status !== undefined);
    return this.#status!;
  }

  /** Resolves when so much was heard as is waited for. @throws if the connection ends before that, or in time nothing comes. */
  async until(enough: (heard: readonly Heard[]) => boolean): Promise<void> {
    await this.#until(() => enough(this.heard));
  }

  /** Resolves when the connection has ended. */
  async closed(): Promise<void> {
    await this.#inTime(this.#closed);
  }

  async #until(enough: () => boolean): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#onHeard = () => {
        if (enough()) resolve();
      };
      void this.#closed.then(() => {
        reject(new Error('The connection has ended.'));
      });
      this.#onHeard();
    });
    await this.#inTime(done);
  }

  async #inTime(done: Promise<void>): Promise<void> {
    const late = once(this.#signal, 'abort').then(() => {
      throw new Error('The server keeps a client waiting.');
    });
    await Promise.race([done, late]);
  }

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (this.#status === undefined) this.#takeHead();
    if (this.#status === 101) while (this.#takeFrame());
    this.#onHeard();
  }

  #takeHead(): void {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0) return;
    this.#status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.#rest.toString('latin1'))?.[1]);
    this.#rest = this.#rest.subarray(end + 4);
  }

  /** Takes a frame of the server's, which has no mask and is whole. */
  #takeFrame(): boolean {
    const bytes = this.#rest;
    if (bytes.length < 2) return false;
    const short = bytes[1]!;
    if (short > 127 || (bytes[0]! & 0xf0) !== 0x80) throw new Error('The server masks or divides its messages.');
    const start = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (bytes.length < start) return false;
    const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
    if (bytes.length < start + length) return false;
    this.#hear(bytes[0]! & 15, bytes.subarray(start, start + length));
    this.#rest = bytes.subarray(start + length);
    return true;
  }

  #hear(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.text)
      this.heard.push({ type: 'message', message: JSON.parse(payload.toString()) as ServerMessage });
    if (opcode === opcodes.pong) this.heard.push({ type: 'pong', payload: Buffer.from(payload) });
    if (opcode === opcodes.ping) this.socket.write(frame(opcodes.pong, payload));
    if (opcode !== opcodes.close) return;
    this.heard.push({ type: 'close', code: payload.length < 2 ? 1005 : payload.readUInt16BE(0) });
    this.socket.end(frame(opcodes.close, payload));
  }
}
