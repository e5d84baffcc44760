import { mkdir, readFile, rm, type FileHandle } from 'node:fs/promises';
import { failure } from '../../shared/errors.js';
import { fromHalf } from './half.js';
import {
  bytesPerValue,
  firstShardBytes,
  indexPath,
  openShards,
  parseJson,
  readFully,
  removeShards,
  type Group,
  type ShardGroups,
  type StoreIndex,
  type StoreShape,
  type StoreType,
} from './shard.js';
import { StoreWriter } from './store-writer.js';

/** Recorded activations on disk, in groups that can be read in any order. Memory: about 30 bytes per group. */
export class ActivationStore {
  readonly width: number;
  readonly dtype: StoreType;
  readonly groups: number;
  readonly rows: number;
  /** Groups to train on, and groups kept for evaluation, each in order. */
  readonly trainGroups: Uint32Array;
  readonly heldOutGroups: Uint32Array;
  readonly #files: FileHandle[];
  readonly #columns: ShardGroups[];
  /** First group of each shard, and the end of the last one. */
  readonly #firstGroup: number[] = [0];
  /** First row of each group within its shard. */
  readonly #rowStart: Float64Array;

  private constructor(index: StoreIndex, files: FileHandle[], columns: ShardGroups[]) {
    this.width = index.width;
    this.dtype = index.dtype;
    this.groups = index.groups;
    this.rows = index.rows;
    this.#files = files;
    this.#columns = columns;
    this.#rowStart = new Float64Array(index.groups);
    let group = 0;
    for (const { rows } of columns) {
      let start = 0;
      for (const count of rows) {
        this.#rowStart[group++] = start;
        start += count;
      }
      this.#firstGroup.push(group);
    }
    const bits = Buffer.from(index.held_out, 'base64');
    const heldOut = (at: number) => ((bits[at >>> 3]! >>> (at & 7)) & 1) === 1;
    const all = Uint32Array.from({ length: index.groups }, (_, at) => at);
    this.trainGroups = all.filter((at) => !heldOut(at));
    this.heldOutGroups = all.filter(heldOut);
  }

  /**
   * Starts a store in `dir`, or goes on with one: whole shards of the same shape and identity are kept, an unfinished one and
   * those of other data are removed. `writer.groups` tells how many groups are there already.
   */
  static async create(dir: string, shape: StoreShape, shardBytes = firstShardBytes): Promise<StoreWriter> {
    await mkdir(dir, { recursive: true });
    await rm(indexPath(dir), { force: true });
    const { files, groups } = await openShards(dir, shape);
    await Promise.all(files.map((file) => file.close()));
    await removeShards(dir, groups.length);
    return new StoreWriter(dir, shape, groups, shardBytes);
  }

  /** The complete store in `dir` if it holds this data, else null. */
  static async find(dir: string, identity: string): Promise<ActivationStore | null> {
    const index = await readIndex(dir);
    return index?.identity === identity ? ActivationStore.#open(dir, index) : null;
  }

  /** @throws WorkbenchError `run_unreadable` if there is no complete store in `dir`. */
  static async open(dir: string): Promise<ActivationStore> {
    const index = await readIndex(dir);
    if (!index) throw unreadable(dir, 'holds no complete activation cache');
    return ActivationStore.#open(dir, index);
  }

  static async #open(dir: string, index: StoreIndex): Promise<ActivationStore> {
    const { files, groups } = await openShards(dir, index);
    const found = groups.reduce((sum, shard) => sum + shard.rows.length, 0);
    if (groups.length !== index.shards || found !== index.groups) {
      await Promise.all(files.map((file) => file.close()));
      throw unreadable(dir, `holds ${groups.length} of the ${index.shards} files of its activation cache`);
    }
    return new ActivationStore(index, files, groups);
  }

  /** Rows of a group. */
  rowCount(group: number): number {
    const [shard, at] = this.#locate(group);
    return this.#columns[shard]!.rows[at]!;
  }

  /** What a group is: its rows, the sample they are from and the position of the first. */
  group(group: number): Group {
    const [shard, at] = this.#locate(group);
    const { rows, samples, positions } = this.#columns[shard]!;
    return { rows: rows[at]!, sample: samples[at]!, position: positions[at]! };
  }

  /** Reads a group's rows, [rows, width] row-major, to the start of `out`. @returns the number of rows. */
  async readGroup(group: number, out: Float32Array): Promise<number> {
    const rows = this.rowCount(group);
    const values = rows * this.width;
    if (out.length < values) throw new RangeError(`${rows} rows of ${this.width} do not fit in ${out.length} values`);
    if (this.dtype === 'float32') {
      await this.readBytes(group, new Uint8Array(out.buffer, out.byteOffset, out.byteLength));
    } else {
      const halves = new Uint16Array(values);
      await this.readBytes(group, new Uint8Array(halves.buffer));
      fromHalf(halves, out);
    }
    return rows;
  }

  /** Reads a group's rows as they are stored to the start of `out`. */
  async readBytes(group: number, out: Uint8Array): Promise<void> {
    const [shard, at] = this.#locate(group);
    const rowBytes = this.width * bytesPerValue[this.dtype];
    const bytes = out.subarray(0, this.#columns[shard]!.rows[at]! * rowBytes);
    if (!(await readFully(this.#files[shard]!, bytes, this.#rowStart[group]! * rowBytes))) {
      throw unreadable(`File ${shard} of the activation cache`, 'has become shorter');
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }

  /** The shard of a group, and its place there. */
  #locate(group: number): [number, number] {
    if (!(group >= 0 && group < this.groups)) throw new RangeError(`group ${group} of ${this.groups}`);
    let low = 0;
    let high = this.#columns.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#firstGroup[middle]! <= group) low = middle;
      else high = middle - 1;
    }
    return [low, group - this.#firstGroup[low]!];
  }
}

async function readIndex(dir: string): Promise<StoreIndex | null> {
  try {
    return parseJson(await readFile(indexPath(dir), 'utf8')) as StoreIndex | null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function unreadable(what: string, trouble: string) {
  return failure('run_unreadable', `${what} ${trouble}.`, 'Delete the cache folder of the run and resume it.');
}
