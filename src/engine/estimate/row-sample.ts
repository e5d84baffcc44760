import type { ActivationSource } from '../activations/source.js';

/** Most values kept, whatever the width. */
const mostValues = 2 ** 22;
const blockRows = 4096;

/** Some activations to try a training on: a source that repeats them as often as is asked for. */
export class RowSample {
  readonly width: number;
  readonly #values: Float32Array;
  #rows = 0;

  constructor(width: number) {
    this.width = width;
    this.#values = new Float32Array(width * Math.max(1, Math.floor(mostValues / width)));
  }

  /** Keeps rows, [rows, width] row-major, as long as there is room. */
  add(values: Float32Array, rows: number): void {
    const room = this.#values.length / this.width - this.#rows;
    const taken = Math.min(rows, room);
    this.#values.set(values.subarray(0, taken * this.width), this.#rows * this.width);
    this.#rows += taken;
  }

  /** A source with epochs of so many rows. */
  source(rowsPerEpoch: number): ActivationSource {
    const { width } = this;
    const values = this.#values;
    const kept = this.#rows;
    const rowsOf = (block: number) => Math.min(blockRows, rowsPerEpoch - block * blockRows);
    return {
      width,
      rowsPerEpoch,
      blocksPerEpoch: Math.ceil(rowsPerEpoch / blockRows),
      maxBlockRows: Math.min(blockRows, rowsPerEpoch),
      blockRows: (_epoch, block) => rowsOf(block),
      readBlock(_epoch, block) {
        const out = new Float32Array(rowsOf(block) * width);
        for (let row = 0; row < rowsOf(block); row++) {
          const from = ((block * blockRows + row) % kept) * width;
          out.set(values.subarray(from, from + width), row * width);
        }
        return Promise.resolve(out);
      },
    };
  }
}
