import { inputsOf, producerOf, skipNorms, unreadable, type Graph } from './graph.js';
import {
  attributeType,
  elementType,
  encodeModel,
  type AttributeProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './onnx.js';
import { elementTypeOf } from './shapes.js';

const cutOutput = 'iw.hook_values';

/** Inputs and output that `spliceAt` adds. */
export const spliceNames = { hook: 'iw.hook', labels: 'iw.labels', nll: 'iw.nll' } as const;

/** Oldest operator set with GatherElements. */
const oldestSpliced = 11;

interface Pruned {
  nodes: NodeProto[];
  /** Names of weights and inputs still read. */
  read: Set<string>;
}

/** What is needed for a tensor, when `given` need not be computed. */
function prune(nodes: readonly NodeProto[], target: string, given?: string): Pruned {
  const producer = new Map(nodes.flatMap((each) => (each.output ?? []).map((output) => [output, each])));
  const read = new Set<string>();
  const needed = new Set<NodeProto>();
  const open = [target];
  for (let tensor = open.pop(); tensor !== undefined; tensor = open.pop()) {
    if (tensor === given || read.has(tensor)) continue;
    read.add(tensor);
    const computedBy = producer.get(tensor);
    if (!computedBy || needed.has(computedBy)) continue;
    needed.add(computedBy);
    open.push(...inputsOf(computedBy));
  }
  return { nodes: nodes.filter((each) => needed.has(each)), read };
}

interface Parts extends Pruned {
  before?: NodeProto[];
  after: NodeProto[];
  inputs?: ValueInfoProto[];
  initializers?: TensorProto[];
  output: ValueInfoProto;
}

function assemble(graph: Graph, parts: Parts): ModelProto {
  const original = graph.model.graph!;
  const kept = ({ name = '' }: { name?: string }) => parts.read.has(name);
  return {
    ...(graph.model.irVersion === undefined ? {} : { irVersion: graph.model.irVersion }),
    producerName: 'interpretability-workbench',
    opsetImport: graph.model.opsetImport ?? [],
    functions: graph.model.functions ?? [],
    graph: {
      name: original.name ?? '',
      node: [...(parts.before ?? []), ...parts.nodes, ...parts.after],
      initializer: [...(original.initializer ?? []).filter(kept), ...(parts.initializers ?? [])],
      sparseInitializer: (original.sparseInitializer ?? []).filter(({ values }) => values && kept(values)),
      // Files of IR version 3 list their weights among the inputs, and those entries stay with them.
      input: [...(original.input ?? []).filter(kept), ...(parts.inputs ?? [])],
      output: [parts.output],
    },
  };
}

function floats(name: string): ValueInfoProto {
  return { name, type: { tensorType: { elemType: elementType.float } } };
}

function node(opType: string, input: string[], output: string, attribute: AttributeProto[] = []): NodeProto {
  return { name: output, opType, input, output: [output], attribute };
}

function integer(name: string, i: number): AttributeProto {
  return { name, type: attributeType.int, i };
}

function cast(from: string, to: string, type: number): NodeProto {
  return node('Cast', [from], to, [integer('to', type)]);
}

/**
 * The part of a model that computes one tensor, as a model with one output: the tensor in float32, whatever type the model
 * computes in. Everything else, weights and inputs included, is gone.
 */
export function cutModel(graph: Graph, tensor: string): ModelProto {
  const pruned = prune(graph.nodes, tensor);
  const asIs = elementTypeOf(graph, tensor) === elementType.float && graph.producer.has(tensor);
  const after = asIs ? [] : [cast(tensor, cutOutput, elementType.float)];
  return assemble(graph, { ...pruned, after, output: floats(asIs ? tensor : cutOutput) });
}

/** `cutModel` as the bytes of an ONNX file. References to external weights stay relative to the model's folder. */
export function cutAt(graph: Graph, tensor: string): Uint8Array {
  return encodeModel(cutModel(graph, tensor));
}

/** The output with a score for every token of the vocabulary, or null where the model has no language-model head. */
export function logitsOf(graph: Graph): string | null {
  const { outputs } = graph;
  return outputs.find((name) => name === 'logits') ?? outputs.find((name) => /logits/.test(name)) ?? null;
}

/**
 * The part of a model behind a tensor, as a model that takes the tensor's values and gives the loss of every next token:
 * inputs `spliceNames.hook` float32 [batch, sequence, width], `spliceNames.labels` int64 [batch, sequence], and those of the
 * original inputs that are still read; output `spliceNames.nll` float32 [batch, sequence], −log softmax(logits)[label] in nats.
 *
 * @throws WorkbenchError `model_unreadable` if the model has no logits or uses an operator set older than 11.
 */
export function spliceModel(graph: Graph, tensor: string): ModelProto {
  const { hook, labels, nll } = spliceNames;
  const logits = logitsOf(graph);
  if (logits === null) {
    throw unreadable(graph.path, 'has no output "logits"', 'Export it as a language model (task text-generation).');
  }
  if (graph.opset < oldestSpliced) {
    const hint = 'Export the model again with a newer opset.';
    throw unreadable(graph.path, `uses ONNX operator set ${graph.opset}; at least ${oldestSpliced} is needed`, hint);
  }
  const fused = producerOf(graph, tensor);
  const norm = fused && normAfter(fused, tensor);
  const type = elementTypeOf(graph, tensor) ?? elementType.float;
  const squeezed = graph.opset >= 13 ? [] : [{ name: 'axes', type: attributeType.ints, ints: [2] }];
  const axes = graph.opset >= 13 ? ['iw.axes'] : [];
  return assemble(graph, {
    ...prune(norm ? graph.nodes.map((each) => (each === fused ? norm : each)) : graph.nodes, logits, tensor),
    before: [cast(hook, tensor, type)],
    after: [
      cast(logits, 'iw.logits', elementType.float),
      node('LogSoftmax', ['iw.logits'], 'iw.log_probabilities', [integer('axis', 2)]),
      node('Unsqueeze', [labels, ...axes], 'iw.label_indices', squeezed),
      node('GatherElements', ['iw.log_probabilities', 'iw.label_indices'], 'iw.chosen', [integer('axis', 2)]),
      node('Squeeze', ['iw.chosen', ...axes], 'iw.log_likelihood', squeezed),
      node('Neg', ['iw.log_likelihood'], nll),
    ],
    inputs: [floats(hook), { name: labels, type: { tensorType: { elemType: elementType.int64 } } }],
    initializers: [{ name: 'iw.axes', dims: [1], dataType: elementType.int64, int64Data: [2] }],
    output: floats(nll),
  });
}

/** `spliceModel` as the bytes of an ONNX file. */
export function spliceAt(graph: Graph, tensor: string): Uint8Array {
  return encodeModel(spliceModel(graph, tensor));
}

/**
 * A fused skip norm gives sum and norm at once, so replacing the sum would leave the norm as it was. This is the norm alone,
 * reading the sum; null where the tensor comes from any other node.
 */
function normAfter(fused: NodeProto, tensor: string): NodeProto | null {
  if (!skipNorms.has(fused.opType) || fused.output?.[3] !== tensor) return null;
  const simplified = fused.opType === 'SkipSimplifiedLayerNormalization';
  const weights = (fused.input ?? []).slice(2, simplified ? 3 : 4);
  const epsilon = fused.attribute?.find(({ name }) => name === 'epsilon');
  const attribute = [integer('axis', -1), epsilon ?? { name: 'epsilon', type: attributeType.float, f: 1e-12 }];
  const opType = simplified ? 'SimplifiedLayerNormalization' : 'LayerNormalization';
  return node(opType, [tensor, ...weights], fused.output[0]!, attribute);
}
