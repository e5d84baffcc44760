import { open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * One file of an activation store: rows of values, then what is needed to read them.
 *
 *     values    rows × width, float32 or float16, little-endian
 *     rows      uint32 per group
 *     positions uint32 per group
 *     samples   float64 per group
 *     header    JSON
 *     length    uint32, bytes of the header
 *     magic     8 bytes
 *
 * A shard gets its name only when it is whole, so what carries the name can be trusted, also after a kill.
 */

export type StoreType = 'float32' | 'float16';
export const bytesPerValue: Record<StoreType, number> = { float32: 4, float16: 2 };

/** Rows that belong together: one context of the text, or a run of one sample of recorded activations. */
export interface Group {
  rows: number;
  /** Number of the context, or the recorded sample. */
  sample: number;
  /** Position of the first row in its context or sample. */
  position: number;
}

/** What every shard of a store shares. `identity` says which data it is: shards of other data are never mixed in. */
export interface StoreShape {
  width: number;
  dtype: StoreType;
  identity: string;
}

/** The groups of one shard, column by column. */
export interface ShardGroups {
  rows: Uint32Array;
  positions: Uint32Array;
  samples: Float64Array;
}

const magic = Buffer.from('IWACTS01', 'latin1');
const trailerBytes = 4 + magic.length;

/** Bytes of values after which a shard is finished. */
export const firstShardBytes = 2 ** 26;

/** Shards grow, so that a large store is not thousands of open files: the first 64 as given, the next 64 twice that, … */
export function shardLimit(shard: number, first: number): number {
  return first * 2 ** Math.floor(shard / 64);
}

function shardName(shard: number): string {
  return `activations-${String(shard).padStart(5, '0')}.bin`;
}

export function shardPath(dir: string, shard: number): string {
  return join(dir, shardName(shard));
}

/** `activations.json`, written last: its presence means that the store is complete. */
export interface StoreIndex extends StoreShape {
  groups: number;
  rows: number;
  shards: number;
  /** One bit per group, least significant first, base64. */
  held_out: string;
}

export function indexPath(dir: string): string {
  return join(dir, 'activations.json');
}

/** Everything that follows the values of a shard. */
export function encodeFooter(shape: StoreShape, groups: readonly Group[]): Buffer {
  const header = Buffer.from(JSON.stringify({ ...shape, groups: groups.length }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const bytes = (column: Uint32Array | Float64Array) => Buffer.from(column.buffer);
  return Buffer.concat([
    bytes(Uint32Array.from(groups, (group) => group.rows)),
    bytes(Uint32Array.from(groups, (group) => group.position)),
    bytes(Float64Array.from(groups, (group) => group.sample)),
    header,
    length,
    magic,
  ]);
}

/** Fills `target` from `position` on. @returns whether the file held that many bytes. */
export async function readFully(file: FileHandle, target: Uint8Array, position: number): Promise<boolean> {
  for (let done = 0; done < target.length;) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

/** The value of a JSON text, or null if it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The groups of an open shard, or null if it is not a whole shard of this shape. */
export async function readFooter(file: FileHandle, shape: StoreShape): Promise<ShardGroups | null> {
  const { size } = await file.stat();
  const trailer = Buffer.alloc(trailerBytes);
  if (size < trailerBytes || !(await readFully(file, trailer, size - trailerBytes))) return null;
  const headerBytes = trailer.readUInt32LE(0);
  if (!trailer.subarray(4).equals(magic) || headerBytes > size - trailerBytes) return null;
  const header = Buffer.alloc(headerBytes);
  await readFully(file, header, size - trailerBytes - headerBytes);
  const found = parseJson(header.toString()) as (StoreShape & { groups: number }) | null;
  if (found?.width !== shape.width || found.dtype !== shape.dtype || found.identity !== shape.identity) return null;
  const { groups } = found;

  const columns = new ArrayBuffer(groups * 16);
  const start = size - trailerBytes - headerBytes - columns.byteLength;
  if (start < 0 || !(await readFully(file, new Uint8Array(columns), start))) return null;
  const rows = new Uint32Array(columns, 0, groups);
  const total = rows.reduce((sum, count) => sum + count, 0);
  if (total * shape.width * bytesPerValue[shape.dtype] !== start) return null;
  return {
    rows,
    positions: new Uint32Array(columns, groups * 4, groups),
    // 8-byte alignment holds: two columns of four bytes per group lie before it.
    samples: new Float64Array(columns, groups * 8, groups),
  };
}

/** Opens the whole shards of a store in order, up to the first that is missing or not of this shape. */
export async function openShards(
  dir: string,
  shape: StoreShape,
): Promise<{ files: FileHandle[]; groups: ShardGroups[] }> {
  const files: FileHandle[] = [];
  const groups: ShardGroups[] = [];
  const names = new Set(await readdir(dir));
  for (let shard = 0; ; shard++) {
    if (!names.has(shardName(shard))) break;
    const file = await open(shardPath(dir, shard), 'r');
    const footer = await readFooter(file, shape);
    if (!footer) {
      await file.close();
      break;
    }
    files.push(file);
    groups.push(footer);
  }
  return { files, groups };
}

/** Removes every shard from number `from` on, and whatever a killed process left unfinished. */
export async function removeShards(dir: string, from: number): Promise<void> {
  for (const name of await readdir(dir)) {
    const [, shard, unfinished] = /^activations-(\d+)\.bin(\.part)?$/.exec(name) ?? [];
    if (shard !== undefined && (unfinished !== undefined || Number(shard) >= from)) await rm(join(dir, name));
  }
}
