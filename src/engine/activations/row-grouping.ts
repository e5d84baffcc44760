import { dealHeldOut } from '../text/held-out.js';
import type { Group } from './shard.js';
import type { StoreWriter } from './store-writer.js';

export interface GroupingOptions {
  /** Rows to come, where the file names no samples: those beyond are left out. */
  totalRows: number;
  maxSamples?: number | undefined;
  heldOutFraction: number;
  seed: number;
}

/** Rows of a group where no samples are named, and the most of a sample that stays together where they are. */
const anonymousGroupRows = 128;
const largestGroupRows = 512;
const appendRows = 2048;

/** Gathers recorded rows into groups, hands them to a store, and decides which are held out. */
export class RowGrouping {
  readonly #writer: StoreWriter;
  readonly #options: GroupingOptions;
  readonly #values: Float32Array;
  /** Row at which the held-out rows begin, where no samples are named. */
  readonly #heldOutFrom: number;
  /** Number of each sample, in the order in which they came. */
  readonly #samples = new Map<number, number>();
  readonly #sampleRows: number[] = [];
  /** Number of the sample of each group. */
  readonly #sampleOf: number[] = [];
  #groups: Group[] = [];
  /** Rows in `#values`, not handed over yet. */
  #waiting = 0;
  /** Groups handed over, those that an earlier attempt had stored included. */
  #stored = 0;
  #rows = 0;
  #named = false;

  constructor(writer: StoreWriter, options: GroupingOptions) {
    this.#writer = writer;
    this.#options = options;
    this.#values = new Float32Array((appendRows + largestGroupRows) * writer.width);
    const heldOut = Math.round(options.totalRows * options.heldOutFraction);
    this.#heldOutFrom = options.totalRows - Math.min(options.totalRows - 1, heldOut);
  }

  /** Whether no further row would be taken. */
  get complete(): boolean {
    return !this.#named && this.#rows >= this.#options.totalRows;
  }

  /** Takes the next row; `sample` and `position` where the file tells them. */
  async add(values: Float32Array, sample: number | undefined, position: number | undefined): Promise<void> {
    this.#named = sample !== undefined;
    const number = sample === undefined ? this.#anonymous() : this.#numberOf(sample);
    if (number === undefined) return;
    const last = this.#groups.at(-1);
    const next = last?.sample === sample && last !== undefined ? last.position + last.rows : 0;
    if (!last || !this.#continues(last, sample, position ?? next, next)) {
      if (this.#waiting >= appendRows) await this.#append();
      this.#groups.push({ rows: 0, sample: sample ?? this.#sampleOf.length, position: position ?? next });
      this.#sampleOf.push(number);
    }
    this.#groups.at(-1)!.rows++;
    this.#values.set(values, this.#waiting++ * this.#writer.width);
    this.#rows++;
    if (this.#named) this.#sampleRows[number]!++;
  }

  /** Hands over the rest and completes the store. */
  async finish(): Promise<void> {
    await this.#append();
    if (this.#named) {
      const { heldOutFraction, seed } = this.#options;
      const heldOut = dealHeldOut(this.#sampleRows, heldOutFraction, seed);
      await this.#writer.finish((group) => heldOut[this.#sampleOf[group]!] === 1);
    } else {
      const firstHeldOut = Math.ceil(this.#heldOutFrom / anonymousGroupRows);
      await this.#writer.finish((group) => group >= firstHeldOut);
    }
  }

  #anonymous(): number | undefined {
    return this.complete ? undefined : 0;
  }

  #numberOf(sample: number): number | undefined {
    const known = this.#samples.get(sample);
    if (known !== undefined) return known;
    if (this.#samples.size >= (this.#options.maxSamples ?? Infinity)) return undefined;
    this.#samples.set(sample, this.#samples.size);
    this.#sampleRows.push(0);
    return this.#samples.size - 1;
  }

  #continues(last: Group, sample: number | undefined, position: number, next: number): boolean {
    if (sample === undefined) return last.rows < anonymousGroupRows && this.#rows !== this.#heldOutFrom;
    return last.sample === sample && last.rows < largestGroupRows && position === next;
  }

  async #append(): Promise<void> {
    const before = this.#stored;
    this.#stored += this.#groups.length;
    // An earlier attempt made the same groups and handed them over at the same points.
    if (before >= this.#writer.groups) await this.#writer.append(this.#values, this.#groups);
    this.#groups = [];
    this.#waiting = 0;
  }
}
