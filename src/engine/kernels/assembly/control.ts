// The control block through which threads share a call of a kernel: byte offsets in it. Both sides read this file.

/** Number of the call; grows by one. */
export const callAt = 0;
/** The range that is taken next. */
export const nextAt = 4;
/** Helpers that have not finished yet. */
export const busyAt = 8;
/** Not 0 once the helpers are to go. */
export const stopAt = 12;
export const kernelAt = 16;
/** How many ranges the call has. */
export const rangesAt = 20;
/** Bytes between the scratch of one thread and the next one's. */
export const threadBytesAt = 24;
/** Bytes between the output of one range and the next one's. */
export const rangeBytesAt = 28;
/** Bytes of the reason for which a helper failed; 0 where none did. */
export const failedAt = 32;
/** All arguments but the range, as float64. */
export const argumentsAt = 64;
export const mostArguments = 28;
/** Where each range begins and the last one ends, int32. */
export const cutsAt = 288;
export const mostRanges = 256;
/** The reason, as UTF-8. */
export const reasonAt = 1344;
export const reasonBytes = 1024;

/** The kernels that threads share, by the number that names them in the control block. */
export enum Kernel {
  center,
  keepPositive,
  decode,
  gradientNorms,
  update,
  columnSums,
  quantizeLatents,
  quantizeRows,
  sumOfSquares,
  rank,
  countAbove,
}
