import { Random } from '../../../src/engine/random.js';
import type { AttributeProto, NodeProto, TensorProto } from '../../../src/engine/model/onnx.js';

type Attributes = Record<string, number | number[] | { float: number }>;

function attribute(name: string, value: number | number[] | { float: number }): AttributeProto {
  if (typeof value === 'number') return { name, type: 2, i: value };
  return Array.isArray(value) ? { name, type: 7, ints: value } : { name, type: 1, f: value.float };
}

/** Writes the nodes of a graph, giving their tensors names that say nothing, and seeded random weights. */
export class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly weights: TensorProto[] = [];
  readonly #random: Random;
  #count = 0;

  constructor(
    readonly half: boolean,
    seed: number,
  ) {
    this.#random = new Random(seed, 'weights');
  }

  op(opType: string, input: string[], attributes: Attributes = {}, domain = ''): string {
    return this.many(opType, input, 1, attributes, domain)[0]!;
  }

  many(opType: string, input: string[], outputs: number, attributes: Attributes = {}, domain = ''): string[] {
    const output = Array.from({ length: outputs }, () => `t${this.#count++}`);
    const all = Object.entries(attributes).map(([name, value]) => attribute(name, value));
    this.nodes.push({ name: `n${this.#count}`, opType, domain, input, output, attribute: all });
    return output;
  }

  floats(values: number[], dims: number[]): string {
    const name = `w${this.#count++}`;
    this.weights.push({ name, dims, dataType: 1, rawData: new Uint8Array(Float32Array.from(values).buffer) });
    return this.half ? this.op('Cast', [name], { to: 10 }) : name;
  }

  integers(values: number[], dims = [values.length]): string {
    const name = `i${this.#count++}`;
    this.weights.push({ name, dims, dataType: 7, int64Data: values });
    return name;
  }

  random(...dims: number[]): string {
    const size = dims.reduce((a, b) => a * b, 1);
    return this.floats(
      Array.from({ length: size }, () => this.#random.normal() / 2),
      dims,
    );
  }
}
