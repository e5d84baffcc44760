// The kernels over a memory that threads share. No JavaScript runs between the ranges of a call.

export * from './index';
import { center, columnSums, decode, gradientNorms, keepPositive, update } from './index';
import { countAbove, quantizeLatents, quantizeRows, rank, sumOfSquares } from './preselect';
import { argumentsAt, cutsAt, Kernel, kernelAt, nextAt, rangeBytesAt, rangesAt, threadBytesAt } from './control';

/** Takes part in the call in the control block: computes ranges of it until none is left. */
export function take(control: usize, thread: i32): void {
  const ranges = load<i32>(control + rangesAt);
  for (;;) {
    const range = atomic.add<i32>(control + nextAt, 1);
    if (range >= ranges) return;
    compute(control, thread, range);
  }
}

function compute(control: usize, thread: i32, range: i32): void {
  const a = control + argumentsAt;
  const cut = control + cutsAt + ((<usize>range) << 2);
  const from = load<i32>(cut);
  const to = load<i32>(cut, 4);
  const own = <usize>thread * load<u32>(control + threadBytesAt);
  const out = <usize>range * load<u32>(control + rangeBytesAt);
  switch (load<i32>(control + kernelAt)) {
    case Kernel.center:
      center(at(a, 0), int(a, 1), num(a, 2), at(a, 3), from, to);
      break;
    case Kernel.keepPositive:
      keepPositive(at(a, 0), at(a, 1), int(a, 2), at(a, 3), at(a, 4), from, to);
      break;
    case Kernel.decode:
      decode(
        at(a, 0), at(a, 1), at(a, 2), int(a, 3), at(a, 4), at(a, 5), at(a, 6), at(a, 7), at(a, 8),
        int(a, 9), num(a, 10), num(a, 11), from, to,
      );
      break;
    case Kernel.gradientNorms:
      gradientNorms(
        at(a, 0), at(a, 1), at(a, 2), at(a, 3), at(a, 4), at(a, 5), at(a, 6), at(a, 7), at(a, 8), at(a, 9), at(a, 10),
        at(a, 11) + own, int(a, 12), at(a, 13), at(a, 14), at(a, 15), at(a, 16) + out, int(a, 17), from, to,
      );
      break;
    case Kernel.update:
      update(
        at(a, 0), at(a, 1), at(a, 2), at(a, 3), at(a, 4), at(a, 5), at(a, 6), at(a, 7), at(a, 8), at(a, 9), at(a, 10), at(a, 11),
        at(a, 12), at(a, 13), at(a, 14), at(a, 15) + own, int(a, 16), at(a, 17), int(a, 18),
        num(a, 19), num(a, 20), num(a, 21), num(a, 22), num(a, 23), num(a, 24), num(a, 25), from, to,
      );
      break;
    case Kernel.columnSums:
      columnSums(at(a, 0), int(a, 1), num(a, 2), at(a, 3) + out, from, to);
      break;
    case Kernel.quantizeLatents:
      quantizeLatents(at(a, 0), int(a, 1), int(a, 2), num(a, 3), at(a, 4), at(a, 5), from, to);
      break;
    case Kernel.quantizeRows:
      quantizeRows(at(a, 0), int(a, 1), num(a, 2), at(a, 3), from, to);
      break;
    case Kernel.sumOfSquares:
      sumOfSquares(at(a, 0), int(a, 1), at(a, 2) + out, from, to);
      break;
    case Kernel.rank:
      rank(
        at(a, 0), int(a, 1), at(a, 2), at(a, 3), at(a, 4), int(a, 5), int(a, 6), at(a, 7), at(a, 8), at(a, 9) + own, from, to,
      );
      break;
    case Kernel.countAbove:
      countAbove(at(a, 0), int(a, 1), int(a, 2), at(a, 3), at(a, 4), at(a, 5), at(a, 6) + out, from, to);
      break;
    default:
      unreachable();
  }
}

/** The i-th argument as an address. */
// @ts-ignore: decorator
@inline
function at(args: usize, i: usize): usize {
  return <usize>load<f64>(args + (i << 3));
}

// @ts-ignore: decorator
@inline
function int(args: usize, i: usize): i32 {
  return <i32>load<f64>(args + (i << 3));
}

// @ts-ignore: decorator
@inline
function num(args: usize, i: usize): f32 {
  return <f32>load<f64>(args + (i << 3));
}
