import { open, rm, type FileHandle } from 'node:fs/promises';
import { renameReplacing, syncFolder, writeFileAtomic } from '../../run/atomic.js';
import { toHalf } from './half.js';
import {
  bytesPerValue,
  encodeFooter,
  indexPath,
  shardLimit,
  shardPath,
  type Group,
  type ShardGroups,
  type StoreIndex,
  type StoreShape,
} from './shard.js';
import { profiler } from '../profile.js';

/** Appends groups of rows to an activation store, shard by shard. Got from `ActivationStore.create`. */
export class StoreWriter {
  readonly #dir: string;
  readonly #shape: StoreShape;
  readonly #shardBytes: number;
  #shards: number;
  #groups: number;
  #rows: number;
  #file: FileHandle | undefined;
  #fileBytes = 0;
  #fileGroups: Group[] = [];
  #halves = new Uint16Array(0);

  constructor(dir: string, shape: StoreShape, whole: readonly ShardGroups[], shardBytes: number) {
    this.#dir = dir;
    this.#shardBytes = shardBytes;
    this.#shape = { width: shape.width, dtype: shape.dtype, identity: shape.identity };
    this.#shards = whole.length;
    this.#groups = whole.reduce((sum, shard) => sum + shard.rows.length, 0);
    this.#rows = whole.reduce((sum, shard) => sum + shard.rows.reduce((rows, count) => rows + count, 0), 0);
  }

  get width(): number {
    return this.#shape.width;
  }

  /** Groups appended so far, those of an earlier attempt included. */
  get groups(): number {
    return this.#groups;
  }

  /** Rows appended so far, those of an earlier attempt included. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Appends groups whose rows lie one after the other in `values`, [Σ rows, width] row-major. Groups of one call stay in one
   * shard, so that an attempt that goes on after a kill starts at a boundary between calls.
   */
  async append(values: Float32Array, groups: readonly Group[]): Promise<void> {
    const rows = groups.reduce((sum, group) => sum + group.rows, 0);
    const count = rows * this.#shape.width;
    if (values.length < count) throw new RangeError(`${rows} rows of ${this.#shape.width} in ${values.length} values`);
    this.#file ??= await open(`${shardPath(this.#dir, this.#shards)}.part`, 'w');
    const encoded = this.#encode(values.subarray(0, count));
    const bytes = new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
    const file = this.#file;
    await profiler.spend('disk', () => writeFully(file, bytes));
    for (const { rows, sample, position } of groups) this.#fileGroups.push({ rows, sample, position });
    this.#fileBytes += count * bytesPerValue[this.#shape.dtype];
    this.#groups += groups.length;
    this.#rows += rows;
    if (this.#fileBytes >= shardLimit(this.#shards, this.#shardBytes))
      await profiler.spend('disk', () => this.#finishShard());
  }

  /** Completes the store, so that `ActivationStore.open` finds it. `heldOut` says which groups are kept from training. */
  async finish(heldOut: (group: number) => boolean): Promise<void> {
    if (this.#file) await this.#finishShard();
    const bits = Buffer.alloc(Math.ceil(this.#groups / 8));
    for (let group = 0; group < this.#groups; group++) {
      if (heldOut(group)) bits[group >>> 3]! |= 1 << (group & 7);
    }
    const index: StoreIndex = {
      ...this.#shape,
      groups: this.#groups,
      rows: this.#rows,
      shards: this.#shards,
      held_out: bits.toString('base64'),
    };
    await writeFileAtomic(indexPath(this.#dir), `${JSON.stringify(index)}\n`);
  }

  /** Gives up the unfinished shard; whole ones stay for another attempt. Does nothing after `finish`. */
  async dispose(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    await file.close();
    await rm(`${shardPath(this.#dir, this.#shards)}.part`, { force: true });
  }

  #encode(values: Float32Array): Float32Array | Uint16Array {
    if (this.#shape.dtype === 'float32') return values;
    if (this.#halves.length < values.length) this.#halves = new Uint16Array(values.length);
    return toHalf(values, this.#halves).subarray(0, values.length);
  }

  async #finishShard(): Promise<void> {
    const file = this.#file!;
    const path = shardPath(this.#dir, this.#shards);
    await writeFully(file, encodeFooter(this.#shape, this.#fileGroups));
    await file.sync();
    await file.close();
    this.#file = undefined;
    await renameReplacing(`${path}.part`, path);
    await syncFolder(this.#dir);
    this.#shards++;
    this.#fileBytes = 0;
    this.#fileGroups = [];
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done);
    done += bytesWritten;
  }
}
