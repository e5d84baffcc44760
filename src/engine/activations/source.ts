/**
 * Training rows in blocks. What a block holds depends on (epoch, block) alone, so that any block can be read again: a resumed run
 * sees exactly what the interrupted one did.
 */
export interface ActivationSource {
  /** d, the width of a row. */
  readonly width: number;
  readonly rowsPerEpoch: number;
  readonly blocksPerEpoch: number;
  /** Most rows of any block. */
  readonly maxBlockRows: number;
  /** Rows of a block, without reading it. */
  blockRows(epoch: number, block: number): number;
  /** A block's rows, [rows, width] row-major: valid until the next call, and one call at a time. */
  readBlock(epoch: number, block: number): Promise<Float32Array>;
}
