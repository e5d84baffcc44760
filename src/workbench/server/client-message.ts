import * as v from 'valibot';
import { clientMessageSchema, mostBytes, type ServerMessage } from '../../shared/api.js';

type Reply = Extract<ServerMessage, { type: 'pong' | 'error' }>;

const hint = 'Send {"type":"ping"}.';
const failed = (code: string, sentence: string): Reply => ({ type: 'error', error: `${sentence} ${hint}`, code });

/** The answer to what a client sent. */
export function replyTo(bytes: Buffer, isBinary: boolean): Reply {
  if (bytes.length > mostBytes) return failed('too_large', `A message has at most ${mostBytes / 1024} KiB.`);
  if (isBinary) return failed('not_json', 'A message is text, not binary.');
  const message = parse(bytes.toString('utf8'));
  if (message === undefined) return failed('not_json', 'This message is not JSON.');
  if (!v.is(v.object({ type: v.string() }), message)) return failed('no_type', 'This message has no type.');
  if (!v.is(clientMessageSchema, message)) return failed('unknown_type', 'This type of message is not known.');
  return { type: 'pong' };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
