import { encodeModel, type NodeProto, type TensorProto, type ValueInfoProto } from '../model/onnx.js';

const elementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
type ElementType = keyof typeof elementTypes;
/** A dimension: its size, or a name for one that is only known when the graph runs. */
type Dimension = number | string;

/** Writes small ONNX graphs of our own: every method returns the name of the tensor it makes. */
export class OnnxBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];

  input(name: string, type: ElementType, shape: readonly Dimension[]): string {
    this.#inputs.push(valueInfo(name, type, shape));
    return name;
  }

  output(name: string, type: ElementType, shape: readonly Dimension[]): void {
    this.#outputs.push(valueInfo(name, type, shape));
  }

  constant(
    name: string,
    type: 'float32' | 'int64' | 'uint8',
    values: readonly number[],
    shape: readonly number[] = [values.length],
  ): string {
    const data =
      type === 'float32'
        ? Float32Array.from(values)
        : type === 'uint8'
          ? Uint8Array.from(values)
          : BigInt64Array.from(values, BigInt);
    const rawData = new Uint8Array(data.buffer);
    this.#initializers.push({ name, dims: [...shape], dataType: elementTypes[type], rawData });
    return name;
  }

  /** Adds a node; integer attributes only. Its tensors are called as given; `domain` is ONNX's own unless named. */
  node(
    opType: string,
    input: string[],
    output: string | string[],
    attributes: Record<string, number> = {},
    domain: '' | 'com.microsoft' = '',
  ): string {
    const outputs = [output].flat();
    const attribute = Object.entries(attributes).map(([name, i]) => ({ name, type: 2, i }));
    this.#nodes.push({ opType, domain, input, output: outputs, attribute, name: outputs[0]! });
    return outputs[0]!;
  }

  bytes(): Uint8Array {
    return encodeModel({
      irVersion: 8,
      producerName: 'interpretability-workbench',
      opsetImport: [
        { domain: '', version: 18 },
        { domain: 'com.microsoft', version: 1 },
      ],
      graph: {
        name: 'sae',
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    });
  }
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: elementTypes[type], shape: { dim } } } };
}
