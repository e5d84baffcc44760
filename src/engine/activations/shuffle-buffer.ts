import type { Control } from '../control.js';
import { Random } from '../random.js';
import type { ActivationSource } from './source.js';

export interface ShuffleOptions {
  /** Rows to mix; raised to what a batch and a block need, lowered to an epoch's rows. */
  capacity: number;
  /** Rows of a batch. */
  batchSize: number;
  seed: number;
}

/** Where a shuffle buffer stands. Rows are named by their number in the epoch's order, not stored. */
export interface ShuffleState {
  epoch: number;
  nextBlock: number;
  /** Whether a refill was under way. */
  filling: boolean;
  random: number[];
  /** The rows in the buffer, in drawing order. */
  rows: Uint32Array;
}

/**
 * Mixes the rows of an epoch: keeps up to `capacity` of them in memory, draws batches from them at random without replacement, and
 * takes in more blocks whenever half is used up. Every row of an epoch is drawn at most once; those of an incomplete last batch
 * are left. Memory: `capacity` rows.
 *
 *     buffer.startEpoch(0);
 *     for (;;) {
 *       await buffer.fill(control);
 *       if (!buffer.draw((row, i) => …)) break;
 *     }
 */
export class ShuffleBuffer {
  /** [capacity, width], row-major. After the first fill of an epoch the rows in use are the first `rows` ones. */
  readonly data: Float32Array;
  readonly capacity: number;
  readonly batchSize: number;
  readonly #source: ActivationSource;
  readonly #seed: number;
  /** Places in `data`: the first `#rows` hold rows not drawn yet, the others are free. */
  readonly #places: Uint32Array;
  /** For each place, the number of its row in the epoch. */
  readonly #rowNumber: Uint32Array;
  /** Where the last batch was drawn from, and the generator before it. */
  readonly #drawn: Uint32Array;
  #randomBefore: number[] = [];
  #random: Random;
  #rows = 0;
  #epoch = 0;
  #nextBlock = 0;
  /** Rows of the epoch in the blocks before `#nextBlock`. */
  #taken = 0;
  #filling = true;

  constructor(source: ActivationSource, { capacity, batchSize, seed }: ShuffleOptions) {
    this.#source = source;
    this.#seed = seed;
    this.batchSize = batchSize;
    // Just below a whole batch, the rest of the room must take in a block of any size.
    this.capacity = Math.min(Math.max(capacity, batchSize + source.maxBlockRows), source.rowsPerEpoch);
    this.data = new Float32Array(this.capacity * source.width);
    this.#places = new Uint32Array(this.capacity);
    this.#rowNumber = new Uint32Array(this.capacity);
    this.#drawn = new Uint32Array(batchSize);
    this.#random = new Random(seed, 'shuffle');
    this.startEpoch(0);
  }

  /** Rows in the buffer that are not drawn yet. */
  get rows(): number {
    return this.#rows;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Empties the buffer and begins with an epoch's first block. */
  startEpoch(epoch: number): void {
    this.#epoch = epoch;
    this.#nextBlock = 0;
    this.#taken = 0;
    this.#rows = 0;
    this.#filling = true;
    this.#random = new Random(this.#seed, `shuffle ${epoch}`);
    for (let place = 0; place < this.capacity; place++) this.#places[place] = place;
  }

  /**
   * Takes in blocks until none fits any more, if half of the buffer is used up or less than a batch is left; otherwise does
   * nothing. When `control` interrupts it, the next call goes on.
   *
   * `onProgress` is told the rows in the buffer after each block.
   *
   * @throws Cancelled between blocks.
   */
  async fill(control: Control, onProgress?: (rows: number) => void): Promise<void> {
    if (this.#rows <= this.capacity / 2 || this.#rows < this.batchSize) {
      this.#filling = this.#nextBlock < this.#source.blocksPerEpoch;
      if (this.#filling) this.#places.subarray(this.#rows).sort(); // memory is written faster in its order
    }
    while (this.#filling) {
      if (this.#nextBlock >= this.#source.blocksPerEpoch) break;
      const rows = this.#source.blockRows(this.#epoch, this.#nextBlock);
      if (this.#rows + rows > this.capacity) break;
      await control.breathe();
      const values = await this.#source.readBlock(this.#epoch, this.#nextBlock);
      this.#take(values, rows);
      this.#taken += rows;
      this.#nextBlock++;
      onProgress?.(this.#rows);
    }
    this.#filling = false;
  }

  /**
   * Draws a batch: calls `take` with each row's place in `data` and its place in the batch. The rows stay where they are until
   * the next `fill`. Call `fill` before every draw.
   *
   * @returns false, having drawn nothing, when less than a batch is left of the epoch.
   */
  draw(take: (row: number, i: number) => void): boolean {
    if (this.#rows < this.batchSize) {
      if (this.#nextBlock < this.#source.blocksPerEpoch) throw new Error('draw() without fill()');
      return false;
    }
    this.#randomBefore = this.#random.state();
    for (let i = 0; i < this.batchSize; i++) {
      const drawn = this.#random.below(this.#rows);
      this.#drawn[i] = drawn;
      const last = --this.#rows;
      const place = this.#places[drawn]!;
      this.#places[drawn] = this.#places[last]!;
      this.#places[last] = place;
      take(place, i);
    }
    return true;
  }

  /** Takes back the last `draw`, for a batch that was not used: at most once, and before the next `fill`. */
  undraw(): void {
    for (let i = this.batchSize - 1; i >= 0; i--) {
      const last = this.#rows++;
      const drawn = this.#drawn[i]!;
      const place = this.#places[last]!;
      this.#places[last] = this.#places[drawn]!;
      this.#places[drawn] = place;
    }
    this.#random = Random.restore(this.#randomBefore);
  }

  /** A snapshot from which `restore` continues with exactly the same batches. */
  state(): ShuffleState {
    return {
      epoch: this.#epoch,
      nextBlock: this.#nextBlock,
      filling: this.#filling,
      random: this.#random.state(),
      rows: Uint32Array.from(this.#places.subarray(0, this.#rows), (place) => this.#rowNumber[place]!),
    };
  }

  /** Takes up a snapshot of a buffer with the same source and options, reading again the blocks that its rows are from. */
  async restore(state: ShuffleState, control: Control): Promise<void> {
    this.startEpoch(state.epoch);
    const drawingOrder = Uint32Array.from(state.rows.keys()).sort((a, b) => state.rows[a]! - state.rows[b]!);
    let next = 0;
    let values: Float32Array = new Float32Array(0);
    for (let block = 0; block < state.nextBlock; block++) {
      const end = this.#taken + this.#source.blockRows(state.epoch, block);
      if (next < drawingOrder.length && state.rows[drawingOrder[next]!]! < end) {
        await control.breathe();
        values = await this.#source.readBlock(state.epoch, block);
      }
      for (; next < drawingOrder.length; next++) {
        const place = drawingOrder[next]!;
        const row = state.rows[place]!;
        if (row >= end) break;
        this.#copy(values, row - this.#taken, place, row);
      }
      this.#taken = end;
    }
    this.#rows = state.rows.length;
    this.#nextBlock = state.nextBlock;
    this.#filling = state.filling;
    this.#random = Random.restore(state.random);
  }

  /** Puts a block's rows into the first free places, neighbouring ones in one piece. */
  #take(block: Float32Array, rows: number): void {
    for (let row = 0; row < rows;) {
      const place = this.#places[this.#rows]!;
      let count = 1;
      while (row + count < rows && this.#places[this.#rows + count] === place + count) count++;
      this.#copy(block, row, place, this.#taken + row, count);
      this.#rows += count;
      row += count;
    }
  }

  #copy(block: Float32Array, blockRow: number, place: number, rowNumber: number, count = 1): void {
    const { width } = this.#source;
    this.data.set(block.subarray(blockRow * width, (blockRow + count) * width), place * width);
    for (let i = 0; i < count; i++) this.#rowNumber[place + i] = rowNumber + i;
  }
}
