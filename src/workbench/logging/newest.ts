import { open } from 'node:fs/promises';

const chunkBytes = 64 * 1024;
const newline = 0x0a;

/** The last `count` lines of a file, oldest first, read from its end; fewer if it has fewer. */
async function lastLines(file: string, count: number): Promise<string[]> {
  const handle = await open(file, 'r');
  try {
    const chunks: Buffer[] = [];
    let start = (await handle.stat()).size;
    // One line break more than lines wanted: the last one ends the file.
    for (let breaks = 0; start > 0 && breaks <= count;) {
      const length = Math.min(chunkBytes, start);
      start -= length;
      const chunk = Buffer.alloc(length);
      const { bytesRead } = await handle.read(chunk, 0, length, start);
      chunks.unshift(chunk.subarray(0, bytesRead));
      for (const byte of chunk) if (byte === newline) breaks++;
    }
    const lines = Buffer.concat(chunks).toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    return count === 0 ? [] : lines.slice(-count);
  } finally {
    await handle.close();
  }
}

/**
 * The newest `count` lines of a log, oldest first, across its rotated files.
 * @throws the file system's error (ENOENT) if there is no live file.
 */
export async function newestLines(file: string, count: number): Promise<string[]> {
  let lines = await lastLines(file, count);
  for (let index = 1; lines.length < count; index++) {
    try {
      lines = [...(await lastLines(`${file}.${index}`, count - lines.length)), ...lines];
    } catch {
      break;
    }
  }
  return lines;
}
