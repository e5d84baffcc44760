import { createSession, ort } from '../src/engine/ort.js';
import { OnnxBuilder } from '../src/engine/sae/onnx-builder.js';
import { time } from './statistics.js';

/** What the machine can do at best, measured with ONNX Runtime's own operators. */
export interface Hardware {
  /** 10⁹ multiplications and additions a second in a float32 matrix product. */
  floatGigaops: number;
  /** The same of a product of uint8 and int8. */
  int8Gigaops: number;
  /** 10⁹ bytes a second, read and written, of an addition of long vectors. */
  gigabytesPerSecond: number;
}

const trials = 5;

/** The shortest of several runs, in milliseconds, after one that warms up. */
async function shortest(
  graph: OnnxBuilder,
  threads: number,
  feeds: Record<string, ort.Tensor>,
  fetches: Record<string, ort.Tensor>,
): Promise<number> {
  const session = await createSession(graph.bytes(), threads);
  const times = [];
  for (let i = 0; i <= trials; i++) times.push(await time(() => session.run(feeds, fetches)));
  await session.release();
  return Math.min(...times.slice(1));
}

export async function measureHardware(threads: number, smoke: boolean): Promise<Hardware> {
  const side = smoke ? 128 : 2048;
  const length = smoke ? 2 ** 16 : 2 ** 25;
  const square = [side, side];
  const operations = 2 * side ** 3;

  const product = new OnnxBuilder();
  product.input('a', 'float32', square);
  product.input('b', 'float32', square);
  product.output(product.node('MatMul', ['a', 'b'], 'c'), 'float32', square);
  const floats = () => new ort.Tensor('float32', new Float32Array(side * side).fill(0.5), square);
  const floatMs = await shortest(product, threads, { a: floats(), b: floats() }, { c: floats() });

  const integers = new OnnxBuilder();
  integers.input('a', 'uint8', square);
  integers.input('b', 'int8', square);
  integers.output(integers.node('MatMulInteger', ['a', 'b'], 'c'), 'int32', square);
  const int8Ms = await shortest(
    integers,
    threads,
    {
      a: new ort.Tensor('uint8', new Uint8Array(side * side).fill(3), square),
      b: new ort.Tensor('int8', new Int8Array(side * side).fill(3), square),
    },
    { c: new ort.Tensor('int32', new Int32Array(side * side), square) },
  );

  const sum = new OnnxBuilder();
  sum.input('a', 'float32', [length]);
  sum.input('b', 'float32', [length]);
  sum.output(sum.node('Add', ['a', 'b'], 'c'), 'float32', [length]);
  const vector = () => new ort.Tensor('float32', new Float32Array(length).fill(1), [length]);
  const addMs = await shortest(sum, threads, { a: vector(), b: vector() }, { c: vector() });

  return {
    floatGigaops: operations / floatMs / 1e6,
    int8Gigaops: operations / int8Ms / 1e6,
    gigabytesPerSecond: (3 * 4 * length) / addMs / 1e6,
  };
}
