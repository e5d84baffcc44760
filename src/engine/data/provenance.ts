import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cpus } from 'node:os';
import { version as onnxruntime } from 'onnxruntime-node/package.json';
import { version } from '../../../package.json';

/** A file a result depends on. */
export interface HashedFile {
  path: string;
  bytes: number;
  sha256: string;
}

export async function hashFile(path: string): Promise<HashedFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { path, bytes, sha256: hash.digest('hex') };
}

/** What computed a run; its `config.sae.json` keeps it. The same seed, threads and CPU give the same result. */
export function environment(threads: number) {
  return {
    version,
    onnxruntime,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    threads,
  };
}
