import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { isAlive, sweepTemporaries, writeFileAtomic } from '../../run/atomic.js';

/** What a program of the same person needs to use a server. */
const addressSchema = v.object({
  url: v.string(),
  token: v.nullable(v.string()),
  pid: v.number(),
  /** Home folders may be shared between machines. */
  host: v.string(),
});
export type Address = v.InferOutput<typeof addressSchema>;

export function defaultAddressFolder(): string {
  return path.join(homedir(), '.interpretability-workbench', 'servers');
}

/**
 * The file `<port>.json` by which example clients find a server and its token. Only its owner can read it; on Windows,
 * where files have no mode, the access list of the home folder sees to that.
 */
export class AddressFile {
  readonly path: string;
  readonly #text: string;

  private constructor(file: string, text: string) {
    this.path = file;
    this.#text = text;
  }

  /** Writes the file and removes those that ended processes left. @throws the file system's error. */
  static async write(folder: string, port: number, server: Pick<Address, 'url' | 'token'>): Promise<AddressFile> {
    const address: Address = { ...server, pid: process.pid, host: hostname() };
    const written = new AddressFile(path.join(folder, `${port}.json`), `${JSON.stringify(address)}\n`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // It may have been there before.
    await chmod(folder, 0o700);
    await sweep(folder);
    await writeFileAtomic(written.path, written.#text, 0o600);
    return written;
  }

  /** Removes the file, unless another server's has taken its place. @throws the file system's error. */
  async remove(): Promise<void> {
    const there = await readFile(this.path, 'utf8').catch(() => undefined);
    if (there === this.#text) await rm(this.path, { force: true });
  }
}

async function sweep(folder: string): Promise<void> {
  await sweepTemporaries(folder);
  for (const name of await readdir(folder)) {
    if (!/^\d+\.json$/.test(name)) continue;
    const file = path.join(folder, name);
    const address = parse(await readFile(file, 'utf8').catch(() => ''));
    if (address === null || (address.host === hostname() && !isAlive(address.pid))) await rm(file, { force: true });
  }
}

function parse(text: string): Address | null {
  try {
    return v.parse(addressSchema, JSON.parse(text));
  } catch {
    return null;
  }
}
