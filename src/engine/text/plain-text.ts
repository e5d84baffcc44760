import { inputError } from '../../shared/errors.js';
import type { TextFile } from './documents.js';

/** A document as its file gives it. */
export interface Piece {
  text: string;
  /** Where it starts, from 1. */
  line: number;
  /** Bytes of the file read when it was complete. */
  bytes: number;
}

const wholeBelow = 2 ** 20;
const target = 2 ** 16;
/** Text without blank lines is cut at a line's end after so many characters, and without lines wherever it is. */
const latest = 4 * target;

/** Where to cut text that is longer than wanted, just behind the cut; 0 for not yet. */
function cutIn(text: string): number {
  if (text.length < target) return 0;
  const blank = /\r?\n[ \t]*\r?\n/g;
  blank.lastIndex = target;
  if (blank.test(text)) return blank.lastIndex;
  if (text.length < latest) return 0;
  const line = text.lastIndexOf('\n') + 1;
  if (line > 0) return line;
  // Never between the two halves of a surrogate pair.
  return text.codePointAt(latest - 2)! > 0xffff ? latest - 2 : latest - 1;
}

function linesIn(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** A plain text file: one document, or many if it is large. @throws WorkbenchError `text_unreadable` if it is not UTF-8. */
export async function* plainText(
  file: TextFile,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Piece, void, undefined> {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  const split = file.bytes >= wholeBelow;
  let text = '';
  let line = 1;
  let bytes = 0;
  const decode = (chunk?: Buffer): string => {
    try {
      return utf8.decode(chunk, { stream: chunk !== undefined });
    } catch {
      const sentence = `${file.path} is not UTF-8 text (after line ${line + linesIn(text)}).`;
      throw inputError('text_unreadable', sentence, 'Convert the file to UTF-8.', 'text');
    }
  };
  for await (const chunk of chunks) {
    bytes += chunk.length;
    text += decode(chunk);
    for (let cut = split ? cutIn(text) : 0; cut > 0; cut = cutIn(text)) {
      const piece = text.slice(0, cut);
      yield { text: piece, line, bytes };
      line += linesIn(piece);
      text = text.slice(cut);
    }
  }
  text += decode();
  if (text.length > 0) yield { text, line, bytes };
}
