import { unreadable, type Graph } from './graph.js';
import { elementType, toNumber, type ValueInfoProto } from './onnx.js';
import { ort } from '../ort.js';

/** What a model's inputs hold, by the names that exporters give them. */
type Filling = 'ids' | 'mask' | 'positions' | 'zeros' | 'cache_positions' | 'scalar_zero' | 'empty';

const fillings: readonly [RegExp, Filling, number | null][] = [
  [/^input_ids$/, 'ids', 2],
  [/^attention_mask$/, 'mask', 2],
  [/^position_ids$/, 'positions', 2],
  [/^token_type_ids$/, 'zeros', 2],
  [/^cache_position$/, 'cache_positions', 1],
  [/^(num_)?logits_to_keep$|^use_cache_branch$/, 'scalar_zero', null],
  [/^past/, 'empty', null],
];

type Data = BigInt64Array | Int32Array | Float32Array | Uint8Array | Uint16Array;

interface Input {
  name: string;
  filling: Filling;
  type: 'int64' | 'int32' | 'float32' | 'float16' | 'bool';
  /** Sizes the graph fixes; 0 for those it leaves open. */
  dims: number[];
}

const typeNames = new Map<number | undefined, Input['type']>([
  [elementType.int64, 'int64'],
  [elementType.int32, 'int32'],
  [elementType.float, 'float32'],
  [elementType.float16, 'float16'],
  [elementType.bool, 'bool'],
]);

function describeInput(graph: Graph, value: ValueInfoProto): Input {
  const name = value.name ?? '';
  const tensor = value.type?.tensorType;
  const dims = (tensor?.shape?.dim ?? []).map(({ dimValue }) => toNumber(dimValue ?? 0));
  const type = typeNames.get(tensor?.elemType);
  const known = fillings.find(([pattern, , rank]) => pattern.test(name) && (rank === null || dims.length === rank));
  if (!known || type === undefined) {
    const hint = 'Export it as a plain language model: inputs input_ids and attention_mask.';
    throw unreadable(graph.path, `has an input "${name}" that the workbench cannot fill`, hint);
  }
  if (known[1] === 'ids' && dims.some((size) => size > 0)) {
    const hint = 'Export it with a dynamic batch size and sequence length.';
    throw unreadable(graph.path, `takes only inputs of the fixed size ${dims.join(' × ')}`, hint);
  }
  return { name, filling: known[1], type, dims };
}

function allocate(type: Input['type'], size: number): Data {
  if (type === 'int64') return new BigInt64Array(size);
  if (type === 'int32') return new Int32Array(size);
  if (type === 'float32') return new Float32Array(size);
  return type === 'float16' ? new Uint16Array(size) : new Uint8Array(size);
}

/** float16's 1. */
const halfOne = 0x3c00;

/** Writes small whole numbers ≥ 0 into any of the types. */
function writer(data: Data): (index: number, value: number) => void {
  if (data instanceof BigInt64Array) {
    // The low halves; the high ones stay 0. BigInts one by one would cost as much as everything else here together.
    const halves = new Int32Array(data.buffer);
    return (index, value) => (halves[2 * index] = value);
  }
  if (data instanceof Uint16Array) return (index, value) => (data[index] = value === 0 ? 0 : halfOne);
  return (index, value) => (data[index] = value);
}

/** Fills a model's own inputs. The tensors are kept and filled again while the shape stays the same. */
export class Feeds {
  readonly #inputs: Input[];
  #rows = -1;
  #cols = -1;
  #tensors: Record<string, ort.Tensor> = {};
  #refill: ((ids: Int32Array, lengths: Int32Array) => void)[] = [];

  /**
   * `needed` names the inputs that are still there after a cut.
   * @throws WorkbenchError `model_unreadable` for an input that is none of a language model's.
   */
  constructor(graph: Graph, needed: readonly string[]) {
    this.#inputs = needed.flatMap((name) => {
      const value = graph.inputs.get(name);
      return value ? [describeInput(graph, value)] : [];
    });
  }

  /**
   * Tensors for a batch, valid until the next call.
   * @param ids [lengths.length, cols], filled up on the right. `lengths` says how many of each row are text.
   */
  fill(ids: Int32Array, lengths: Int32Array, cols: number): Record<string, ort.Tensor> {
    if (lengths.length !== this.#rows || cols !== this.#cols) this.#reshape(lengths.length, cols);
    for (const refill of this.#refill) refill(ids, lengths);
    return this.#tensors;
  }

  #reshape(rows: number, cols: number): void {
    this.#rows = rows;
    this.#cols = cols;
    this.#tensors = {};
    this.#refill = [];
    for (const { name, filling, type, dims } of this.#inputs) {
      const shape = this.#shape(filling, dims);
      const data = allocate(
        type,
        shape.reduce((size, dim) => size * dim, 1),
      );
      const set = writer(data);
      this.#tensors[name] = new ort.Tensor(type, data as Float32Array, shape);
      if (filling === 'positions') for (let i = 0; i < data.length; i++) set(i, i % cols);
      if (filling === 'cache_positions') for (let i = 0; i < cols; i++) set(i, i);
      if (filling === 'ids') {
        this.#refill.push((ids) => {
          for (let i = 0; i < data.length; i++) set(i, ids[i]!);
        });
      }
      if (filling === 'mask') {
        this.#refill.push((_, lengths) => {
          for (let i = 0; i < data.length; i++) set(i, i % cols < lengths[Math.floor(i / cols)]! ? 1 : 0);
        });
      }
    }
  }

  #shape(filling: Filling, dims: readonly number[]): number[] {
    if (filling === 'cache_positions') return [this.#cols];
    if (filling === 'scalar_zero') return dims.map((size) => size || 1);
    // A cache of zero tokens: [batch, heads, 0, head width]; what the graph leaves open is the past's length.
    if (filling === 'empty') return dims.map((size, axis) => (axis === 0 && size === 0 ? this.#rows : size));
    return [this.#rows, this.#cols];
  }
}
