import { readFileSync, type PathLike } from 'node:fs';
import path from 'node:path';
import { inputError } from '../../shared/errors.js';
import {
  decodeModel,
  toNumber,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './onnx.js';

/** An ONNX model, indexed by tensor name. Weights are views into the bytes of the file. */
export interface Graph {
  readonly path: string;
  /** Absolute: where external weights lie. */
  readonly folder: string;
  readonly model: ModelProto;
  /** In topological order, as ONNX demands. */
  readonly nodes: readonly NodeProto[];
  readonly initializers: ReadonlyMap<string, TensorProto>;
  /** Inputs that have to be fed: those that are not weights. */
  readonly inputs: ReadonlyMap<string, ValueInfoProto>;
  readonly outputs: readonly string[];
  /** Types and shapes where the file states them. */
  readonly values: ReadonlyMap<string, ValueInfoProto>;
  /** Index of the node that computes a tensor. */
  readonly producer: ReadonlyMap<string, number>;
  /** Tensors that depend on no input: weights and what is computed from them. */
  readonly constants: ReadonlySet<string>;
  /** Version of the default operator set. */
  readonly opset: number;
}

const exportHint = 'Download or export the model again; bundled:demo-gpt2 always works.';

/** The ONNX file cannot be used. */
export function unreadable(file: PathLike, because: string, hint = exportHint) {
  return inputError('model_unreadable', `${String(file)} ${because}.`, hint, 'model');
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw inputError('model_not_found', `There is no model at ${file}.`, exportHint, 'model');
    if (code === 'ERR_FS_FILE_TOO_LARGE') {
      const hint =
        'Export the model with its weights as external data (an .onnx file with an .onnx_data file beside it).';
      throw unreadable(file, 'is larger than the 2 GiB an ONNX file can have', hint);
    }
    throw unreadable(file, `cannot be read (${code ?? String(error)})`);
  }
}

/**
 * Reads an ONNX file.
 * @throws WorkbenchError `model_unreadable` if it is cut off, no ONNX file, or its external weights are missing;
 * `model_not_found` if there is none.
 */
export function readGraph(file: string): Graph {
  const bytes = readBytes(file);
  if (bytes.subarray(0, 40).toString('latin1').startsWith('version https://git-lfs')) {
    throw unreadable(file, 'is a Git LFS pointer, not the model itself', 'Fetch the file with "git lfs pull".');
  }
  let model: ModelProto;
  try {
    model = decodeModel(bytes);
  } catch {
    throw unreadable(file, 'is not an ONNX model, or is cut off');
  }
  const graph = model.graph;
  if (!graph?.node?.length || !model.opsetImport?.length) throw unreadable(file, 'is not an ONNX model, or is cut off');
  const indexed = indexGraph(path.resolve(file), model, graph);
  for (const output of indexed.outputs) {
    const known = indexed.producer.has(output) || indexed.inputs.has(output) || indexed.initializers.has(output);
    if (!known) throw unreadable(file, `has an output "${output}" that nothing computes`);
  }
  return indexed;
}

/** Indexes a decoded model. `file` is where it came from. */
export function indexGraph(file: string, model: ModelProto, graph: GraphProto): Graph {
  nameSkipSums(graph);
  const nodes = graph.node ?? [];
  const initializers = new Map((graph.initializer ?? []).map((tensor) => [tensor.name ?? '', tensor]));
  const sparse = (graph.sparseInitializer ?? []).map((tensor) => tensor.values?.name ?? '');
  const weights = new Set([...initializers.keys(), ...sparse]);
  const inputs = (graph.input ?? []).filter((value) => !weights.has(value.name ?? ''));
  const stated = [...(graph.valueInfo ?? []), ...(graph.output ?? []), ...(graph.input ?? [])];
  const producer = new Map<string, number>();
  const constants = new Set(weights);
  for (const [index, node] of nodes.entries()) {
    const constant = inputsOf(node).every((name) => constants.has(name)) && !node.opType.startsWith('Random');
    for (const output of node.output ?? []) {
      if (output === '') continue;
      producer.set(output, index);
      if (constant) constants.add(output);
    }
  }
  const opset = (model.opsetImport ?? []).find(({ domain }) => (domain ?? '') === '' || domain === 'ai.onnx');
  return {
    path: file,
    folder: path.dirname(file),
    model,
    nodes,
    initializers,
    inputs: new Map(inputs.map((value) => [value.name ?? '', value])),
    outputs: (graph.output ?? []).map((value) => value.name ?? ''),
    values: new Map(stated.map((value) => [value.name ?? '', value])),
    producer,
    constants,
    opset: toNumber(opset?.version ?? 1),
  };
}

/** Fused `x + branch` followed by a norm: output 0 is the norm's, output 3 the sum. */
export const skipNorms: ReadonlySet<string> = new Set(['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization']);

/** Output 3 is the residual stream; exporters leave it out where nothing reads it, but it can be had for a name. */
function nameSkipSums(graph: GraphProto): void {
  for (const node of graph.node ?? []) {
    if (!skipNorms.has(node.opType) || !node.output) continue;
    while (node.output.length < 4) node.output.push('');
    if (node.output[3] === '') node.output[3] = `${node.output[0]!}.input_skip_sum`;
  }
}

const captured = new WeakMap<NodeProto, readonly string[]>();

/** The tensors a node reads, those that its subgraphs (If, Loop, Scan) take from outside included. */
export function inputsOf(node: NodeProto): readonly string[] {
  const known = captured.get(node);
  if (known) return known;
  const bodies = (node.attribute ?? []).flatMap(({ g, graphs }) => [...(g ? [g] : []), ...(graphs ?? [])]);
  const own = (node.input ?? []).filter((name) => name !== '');
  const all = bodies.length === 0 ? own : [...new Set([...own, ...bodies.flatMap(outerNames)])];
  captured.set(node, all);
  return all;
}

function outerNames(body: GraphProto): string[] {
  const nodes = body.node ?? [];
  const inner = new Set([...(body.input ?? []), ...(body.initializer ?? [])].map(({ name }) => name ?? ''));
  for (const node of nodes) for (const output of node.output ?? []) inner.add(output);
  const read = [...nodes.flatMap(inputsOf), ...(body.output ?? []).map(({ name }) => name ?? '')];
  return read.filter((name) => name !== '' && !inner.has(name));
}

/** The operators a node stands for: its own, and those inside the function it calls. */
export function operatorsOf(graph: Graph, node: NodeProto): string[] {
  const body = functionOf(graph, node);
  return body ? [node.opType, ...(body.node ?? []).flatMap((inner) => operatorsOf(graph, inner))] : [node.opType];
}

function functionOf(graph: Graph, node: NodeProto): FunctionProto | undefined {
  return graph.model.functions?.find((f) => f.name === node.opType && (f.domain ?? '') === (node.domain ?? ''));
}

/** The node that computes a tensor. */
export function producerOf(graph: Graph, tensor: string): NodeProto | undefined {
  const index = graph.producer.get(tensor);
  return index === undefined ? undefined : graph.nodes[index];
}
