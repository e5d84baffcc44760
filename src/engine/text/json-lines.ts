import { inputError } from '../../shared/errors.js';
import type { Piece } from './plain-text.js';

const longestLine = 64 * 2 ** 20;
const newline = 10;

function broken(file: string, line: number, what: string) {
  const hint = 'Every line has to be a JSON object with its text under "text": {"text": "…"}.';
  return inputError('text_unreadable', `${file}, line ${line}: ${what}.`, hint, 'text');
}

/** Complete lines as bytes, without their line feeds. */
async function* byteLines(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let started: Buffer[] = [];
  let length = 0;
  let line = 1;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const rest = chunk.subarray(from, end);
      yield started.length === 0 ? rest : Buffer.concat([...started, rest]);
      started = [];
      length = 0;
      line++;
      from = end + 1;
    }
    if (from === chunk.length) continue;
    started.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > longestLine) throw broken(file, line, `it is longer than ${longestLine / 2 ** 20} MiB`);
  }
  if (length > 0) yield Buffer.concat(started);
}

/** The `text` of each line of a JSONL file; blank lines are allowed. @throws WorkbenchError `text_unreadable` */
export async function* jsonLines(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Piece, void, undefined> {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let line = 0;
  let bytes = 0;
  for await (const raw of byteLines(file, chunks)) {
    line++;
    bytes += raw.length + 1;
    let source: string;
    try {
      source = utf8.decode(raw);
    } catch {
      throw broken(file, line, 'it is not UTF-8');
    }
    if (source.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(source);
    } catch {
      throw broken(file, line, 'it is not JSON');
    }
    if (typeof value !== 'object' || value === null || !('text' in value)) throw broken(file, line, 'it has no "text"');
    if (typeof value.text !== 'string') throw broken(file, line, '"text" is not a string');
    yield { text: value.text, line, bytes };
  }
}
