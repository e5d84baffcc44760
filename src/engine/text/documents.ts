import { createReadStream, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { resolveBundled } from '../../run/bundled.js';
import { inputError } from '../../shared/errors.js';
import { jsonLines } from './json-lines.js';
import { plainText } from './plain-text.js';

/** A piece of text that belongs together: contexts never reach across its ends. */
export interface Document {
  text: string;
  file: string;
  /** Line of the file where it starts, from 1. */
  line: number;
  /** Part of all the text given that has been read after this document, 0–1. */
  done: number;
}

export interface TextFile {
  path: string;
  bytes: number;
}

const extensions = ['.txt', '.md', '.jsonl'];

function inside(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return inside(full);
    const text = extensions.includes(path.extname(entry.name).toLowerCase());
    return text && (entry.isFile() || entry.isSymbolicLink()) ? [full] : [];
  });
}

/**
 * The text files that the names given stand for: files, folders (their .txt, .md and .jsonl files at any depth, sorted) and
 * `bundled:sample`. A file named twice is read once.
 * @throws WorkbenchError `text_unreadable` for what is not there, `text_empty` for a folder without text.
 */
export function listTextFiles(names: readonly string[]): TextFile[] {
  const files = new Map<string, TextFile>();
  for (const name of names) {
    const target = path.resolve(resolveBundled(name));
    const found = statSync(target, { throwIfNoEntry: false });
    if (!found) throw inputError('text_unreadable', `There is no text at ${target}.`, 'Check the path.', 'text');
    const members = found.isDirectory() ? inside(target).sort() : [target];
    if (members.length === 0) {
      const hint = `Name a file, or a folder that holds ${extensions.join(', ')} files.`;
      throw inputError('text_empty', `There is no text file in ${target}.`, hint, 'text');
    }
    for (const member of members) {
      const status = statSync(member, { throwIfNoEntry: false });
      if (status?.isFile()) files.set(member, { path: member, bytes: status.size });
    }
  }
  return [...files.values()];
}

/** A file in pieces. @throws WorkbenchError `text_unreadable` for bytes that no text has. */
async function* chunks(file: string): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
      if (chunk.includes(0)) {
        const hint = 'Give UTF-8 text: .txt, .md or .jsonl (UTF-16 files have to be converted).';
        throw inputError('text_unreadable', `${file} is a binary file, not text.`, hint, 'text');
      }
      yield chunk;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EIO') throw error;
    throw inputError('text_unreadable', `${file} cannot be read (${code}).`, 'Check its permissions.', 'text');
  }
}

/**
 * The documents of the files, one after the other, in constant memory. A .jsonl file has one in the `text` of each line; any
 * other file is one document, or many of about 64 KiB, cut at blank lines, if it is 1 MiB or more. Documents without a single
 * visible character are left out.
 *
 * @throws WorkbenchError `text_unreadable` (file and line named) or, at the end, `text_empty`.
 */
export async function* documents(
  files: readonly TextFile[],
  { maxDocuments = Infinity }: { maxDocuments?: number | undefined } = {},
): AsyncGenerator<Document, void, undefined> {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  let before = 0;
  let count = 0;
  for (const file of files) {
    const lines = path.extname(file.path).toLowerCase() === '.jsonl';
    const pieces = lines ? jsonLines(file.path, chunks(file.path)) : plainText(file, chunks(file.path));
    for await (const { text, line, bytes } of pieces) {
      if (text.trim() === '') continue;
      count++;
      yield {
        text,
        file: file.path,
        line,
        done: Math.min(1, Math.max((before + bytes) / total, count / maxDocuments)),
      };
      if (count >= maxDocuments) return;
    }
    before += file.bytes;
  }
  if (count > 0) return;
  const names = files.map((file) => file.path).join(', ');
  throw inputError('text_empty', `There is no text in ${names}.`, 'Give a file with text in it.', 'text');
}
