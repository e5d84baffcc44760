import { epochKey, permute } from './permutation.js';

/** Groups of rows, dealt into blocks of a fixed number of groups, in an order of their own for every epoch. */
export class BlockOrder {
  readonly rowsPerEpoch: number;
  readonly blocksPerEpoch: number;
  readonly maxBlockRows: number;
  readonly #groups: Uint32Array;
  readonly #rowCount: (group: number) => number;
  readonly #blockGroups: number;
  readonly #seed: number;

  constructor(groups: Uint32Array, rowCount: (group: number) => number, blockGroups: number, seed: number) {
    this.#groups = groups;
    this.#rowCount = rowCount;
    this.#blockGroups = blockGroups;
    this.#seed = seed;
    let most = 0;
    let total = 0;
    for (const group of groups) {
      const rows = rowCount(group);
      most = Math.max(most, rows);
      total += rows;
    }
    this.rowsPerEpoch = total;
    this.blocksPerEpoch = Math.ceil(groups.length / blockGroups);
    this.maxBlockRows = Math.min(most * blockGroups, total);
  }

  /** The groups of a block, in order. */
  block(epoch: number, block: number): number[] {
    const key = epochKey(this.#seed, epoch);
    const first = block * this.#blockGroups;
    const count = Math.min(this.#blockGroups, this.#groups.length - first);
    const at = (i: number) => this.#groups[permute(first + i, this.#groups.length, key)]!;
    return Array.from({ length: count }, (_, i) => at(i));
  }

  blockRows(epoch: number, block: number): number {
    return this.block(epoch, block).reduce((sum, group) => sum + this.#rowCount(group), 0);
  }
}
