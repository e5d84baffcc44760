import { producerOf, skipNorms, type Graph } from './graph.js';
import { elementType, toNumber, type NodeProto, type TensorProto } from './onnx.js';

/**
 * As much of shape inference as hook points need: the last dimension and the element type of a tensor, from what the file
 * states, else from the weights its producers use. Null where that does not say.
 */

/** Operators whose (first) output has the type and shape of their first input. */
const sameAsInput = new Set(
  (
    'Identity Dropout Relu LeakyRelu Elu Gelu FastGelu QuickGelu BiasGelu Erf Tanh Sigmoid HardSigmoid HardSwish Mish Silu Swish ' +
    'Softplus Softmax LogSoftmax Neg Abs Exp Log Sqrt Clip Pow LayerNormalization SimplifiedLayerNormalization RMSNormalization ' +
    'SkipLayerNormalization SkipSimplifiedLayerNormalization'
  ).split(' '),
);
const elementwise = new Set(['Add', 'Sub', 'Mul', 'Div', 'Where', 'Max', 'Min', 'Sum']);

/** Operators that give int64 (or bool, which is no float either), whatever they read. */
const wholeNumbers = new Set(
  'Shape Size ArgMax ArgMin NonZero Greater GreaterOrEqual Less LessOrEqual Equal Not And Or'.split(' '),
);

/** Recursion ends here; no width is further from the weights that give it. */
const deepest = 64;

export function attributeOf(node: NodeProto, name: string) {
  return node.attribute?.find((attribute) => attribute.name === name);
}

function integer(node: NodeProto, name: string, otherwise: number): number {
  const value = attributeOf(node, name)?.i;
  return value === undefined ? otherwise : toNumber(value);
}

/** Dimensions of a weight, also behind operators that keep its shape (a Cast from float16, a dequantisation) or transpose it. */
export function weightDims(graph: Graph, tensor: string, depth = 0): number[] | null {
  const weight = graph.initializers.get(tensor);
  if (weight) return (weight.dims ?? []).map(toNumber);
  const node = producerOf(graph, tensor);
  if (!node || depth > deepest) return null;
  if (node.opType === 'Constant') {
    const value = attributeOf(node, 'value')?.t;
    return value ? (value.dims ?? []).map(toNumber) : null;
  }
  const dims = weightDims(graph, node.input?.[0] ?? '', depth + 1);
  if (dims === null) return null;
  if (['Cast', 'Identity', 'DequantizeLinear'].includes(node.opType)) return dims;
  if (node.opType !== 'Transpose') return null;
  const order = attributeOf(node, 'perm')?.ints?.map(toNumber);
  return order ? order.map((axis) => dims[axis] ?? 0) : dims.reverse();
}

function lastWeightDim(graph: Graph, tensor: string | undefined): number | null {
  return weightDims(graph, tensor ?? '')?.at(-1) ?? null;
}

/** Values of a small int64 tensor that is a weight or a Constant. */
function integers(graph: Graph, tensor: string): number[] | null {
  const node = producerOf(graph, tensor);
  const weight: TensorProto | undefined = graph.initializers.get(tensor) ?? (node && attributeOf(node, 'value')?.t);
  if (weight?.dataType !== elementType.int64) return null;
  if (weight.int64Data?.length) return weight.int64Data.map(toNumber);
  const raw = weight.rawData ?? new Uint8Array();
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.byteLength >> 3 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}

/** The last entry of the shape that a Reshape is given, which exporters often glue together with Concat. */
function lastOfShape(graph: Graph, tensor: string, depth: number): number | null {
  const node = producerOf(graph, tensor);
  if (node?.opType === 'Concat' && depth < deepest) return lastOfShape(graph, node.input?.at(-1) ?? '', depth + 1);
  if (node?.opType === 'Unsqueeze' || node?.opType === 'Cast')
    return lastOfShape(graph, node.input?.[0] ?? '', depth + 1);
  const last = integers(graph, tensor)?.at(-1);
  return last !== undefined && last > 0 ? last : null;
}

/** Size of a tensor's last dimension. */
export function lastDim(graph: Graph, tensor: string, depth = 0): number | null {
  const stated = graph.values.get(tensor)?.type?.tensorType?.shape?.dim?.at(-1)?.dimValue;
  if (stated !== undefined && toNumber(stated) > 0) return toNumber(stated);
  if (graph.constants.has(tensor)) return lastWeightDim(graph, tensor);
  const node = producerOf(graph, tensor);
  if (!node || depth > deepest) return null;
  const input = node.input ?? [];
  const { opType } = node;
  if (opType === 'MatMul' || opType === 'FusedMatMul' || opType === 'MatMulInteger')
    return lastWeightDim(graph, input[1]);
  if (opType === 'Gemm') return weightDims(graph, input[1] ?? '')?.[integer(node, 'transB', 0) === 1 ? 0 : 1] ?? null;
  if (opType === 'MatMulNBits') return integer(node, 'N', 0) || null;
  if (opType === 'Gather') return lastWeightDim(graph, input[0]);
  if (opType === 'Reshape') return lastOfShape(graph, input[1] ?? '', 0);
  if (skipNorms.has(opType) || opType.endsWith('Normalization')) {
    const scale = lastWeightDim(graph, input[skipNorms.has(opType) ? 2 : 1]);
    if (scale !== null) return scale;
  }
  if (sameAsInput.has(opType) || opType === 'Cast') return lastDim(graph, input[0] ?? '', depth + 1);
  if (!elementwise.has(opType)) return null;
  // Broadcasting stretches ones, so a one says nothing.
  const sizes = input.map((name) => lastDim(graph, name, depth + 1)).filter((size) => size !== null && size > 1);
  return sizes[0] ?? null;
}

/** Whether batch and sequence are one dimension, [batch · sequence, width], as exporters of GPT-2 and OPT have it around a Gemm. */
export function isFlat(graph: Graph, tensor: string, depth = 0): boolean {
  const node = producerOf(graph, tensor);
  if (!node || depth > deepest) return false;
  const input = node.input ?? [];
  if (node.opType === 'Gemm') return true;
  if (node.opType === 'Reshape') return entriesOfShape(graph, input[1] ?? '') === 2;
  if (sameAsInput.has(node.opType) || ['Cast', 'MatMul', 'FusedMatMul'].includes(node.opType)) {
    return isFlat(graph, input[0] ?? '', depth + 1);
  }
  return elementwise.has(node.opType) && input.some((name) => isFlat(graph, name, depth + 1));
}

/** Entries of a shape that a Reshape is given; null where that is not plain to see. */
function entriesOfShape(graph: Graph, tensor: string): number | null {
  const node = producerOf(graph, tensor);
  if (node?.opType === 'Unsqueeze') return 1;
  if (node?.opType !== 'Concat') return weightDims(graph, tensor)?.[0] ?? null;
  const parts = (node.input ?? []).map((part) => entriesOfShape(graph, part));
  return parts.every((part) => part !== null) ? parts.reduce((sum, part) => sum + part, 0) : null;
}

/** Element type of a tensor (`TensorProto.DataType`). */
export function elementTypeOf(graph: Graph, tensor: string, depth = 0): number | null {
  const stated = graph.values.get(tensor)?.type?.tensorType?.elemType ?? graph.initializers.get(tensor)?.dataType;
  if (stated) return stated;
  const node = producerOf(graph, tensor);
  if (!node || depth > deepest) return null;
  if (wholeNumbers.has(node.opType)) return elementType.int64;
  if (node.opType === 'Cast') return integer(node, 'to', 0) || null;
  if (node.opType === 'Constant') return attributeOf(node, 'value')?.t?.dataType ?? null;
  const typed = [
    'MatMul',
    'FusedMatMul',
    'Gemm',
    'MatMulNBits',
    'Gather',
    'Reshape',
    'Transpose',
    'Slice',
    'Split',
    'Concat',
    'Range',
    'Expand',
    'Unsqueeze',
    'Squeeze',
  ];
  const first = node.opType === 'Where' ? 1 : 0;
  if (!typed.includes(node.opType) && !sameAsInput.has(node.opType) && !elementwise.has(node.opType)) return null;
  return elementTypeOf(graph, node.input?.[first] ?? '', depth + 1);
}
