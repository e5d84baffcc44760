import { operatorsOf, producerOf, skipNorms, inputsOf, type Graph } from './graph.js';
import type { NodeProto } from './onnx.js';

/**
 * The residual stream, found by the structure of the graph. A *residual sum* adds to a tensor (its base) what branches computed
 * from that same tensor, each with a matrix product in it. The stream is the longest chain of residual sums in which each
 * one's base is the sum before it.
 */
export interface Link {
  base: string;
  sum: string;
  branches: Branch[];
}

export interface Branch {
  /** The branch's output, as it is added. */
  output: string;
  kind: 'attention' | 'mlp';
  /** Input of the branch's last matrix product. */
  lastProductInput: string;
  /** A bias that the addition adds on top: a fused SkipLayerNormalization can have one. */
  fusedBias: boolean;
}

/** Operators behind which the same values go on, perhaps in another type or shape. */
const passing = new Set(['Identity', 'Cast', 'Dropout', 'Reshape']);
const products = new Set(
  'MatMul Gemm FusedMatMul MatMulNBits MatMulInteger DynamicQuantizeMatMul QLinearMatMul FusedGemm Einsum Conv MoE QMoE'.split(
    ' ',
  ),
);
const fusedAttention =
  /^(Attention|QAttention|DecoderMaskedSelfAttention|MultiHeadAttention|DecoderMaskedMultiHeadAttention|PackedAttention|GroupQueryAttention|SparseAttention|PagedAttention|LinearAttention)$/;
/** More operands than this has no residual sum. */
const mostLeaves = 5;

/** The tensor whose values these are. */
export function origin(graph: Graph, tensor: string, through: ReadonlySet<string> = passing): string {
  for (let at = tensor; ;) {
    const node = producerOf(graph, at);
    const input = node?.input?.[0];
    if (!node || input === undefined || !through.has(node.opType) || node.output?.[0] !== at) return at;
    at = input;
  }
}

/** The operands of a sum of activations, or null if the tensor is none: biases and other constants do not count. */
function operands(graph: Graph, tensor: string): [string, string] | null {
  const node = producerOf(graph, tensor);
  const [a, b] = node?.input ?? [];
  if (!node || a === undefined || b === undefined) return null;
  const isSum =
    node.opType === 'Add' ? node.output?.[0] === tensor : skipNorms.has(node.opType) && node.output?.[3] === tensor;
  return isSum && !graph.constants.has(a) && !graph.constants.has(b) ? [a, b] : null;
}

/**
 * The nodes between two tensors: those that compute `to` out of `from`. Empty where `to` does not depend on `from`.
 */
function nodesBetween(graph: Graph, from: string, to: string): NodeProto[] {
  const fused = producerOf(graph, from);
  // The norm that a fused node gives beside the sum is computed from the sum.
  const given = new Set(fused && skipNorms.has(fused.opType) ? [from, fused.output?.[0] ?? from] : [from]);
  const earliest = graph.producer.get(from) ?? -1;
  const start = graph.producer.get(to) ?? -1;
  // Nodes are in topological order: first everything behind `to`, then forwards what of it `from` reaches.
  const behind = new Set<number>();
  const open = [start];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (index <= earliest || behind.has(index)) continue;
    const node = graph.nodes[index]!;
    behind.add(index);
    for (const input of inputsOf(node)) if (!given.has(input)) open.push(graph.producer.get(input) ?? -1);
  }
  const reached = new Set(given);
  const between: NodeProto[] = [];
  for (const index of [...behind].sort((a, b) => a - b)) {
    const node = graph.nodes[index]!;
    if (!inputsOf(node).some((input) => reached.has(input))) continue;
    between.push(node);
    for (const output of node.output ?? []) reached.add(output);
  }
  return reached.has(to) ? between : [];
}

function isProduct(graph: Graph, node: NodeProto): boolean {
  return operatorsOf(graph, node).some((operator) => products.has(operator) || fusedAttention.test(operator));
}

/** Attention multiplies activations by activations, around a softmax; an MLP multiplies them by weights only. */
function isAttention(graph: Graph, nodes: readonly NodeProto[]): boolean {
  const operators = new Set(nodes.flatMap((node) => operatorsOf(graph, node)));
  if ([...operators].some((operator) => fusedAttention.test(operator))) return true;
  const activations = (node: NodeProto) => inputsOf(node).filter((input) => !graph.constants.has(input)).length;
  const byEachOther = (node: NodeProto) =>
    ['MatMul', 'FusedMatMul', 'Einsum'].includes(node.opType) && activations(node) > 1;
  if (!operators.has('Softmax')) return false;
  // What a function multiplies cannot be told from outside it.
  const inFunction = (node: NodeProto) => operatorsOf(graph, node).length > 1;
  return nodes.some((node) => byEachOther(node) || inFunction(node));
}

/** Reads a branch; null if it has no matrix product and so is none. */
function readBranch(graph: Graph, base: string, output: string, fusedBias: boolean): Branch | null {
  const nodes = nodesBetween(graph, base, output);
  const last = nodes.findLast((node) => isProduct(graph, node));
  if (!last) return null;
  const behindReshape = new Set([...passing, 'DynamicQuantizeLinear', 'QuantizeLinear', 'DequantizeLinear']);
  const lastProductInput = origin(graph, last.input?.[0] ?? '', behindReshape);
  return { output, kind: isAttention(graph, nodes) ? 'attention' : 'mlp', lastProductInput, fusedBias };
}

/** A branch that is itself a sum of an attention and an MLP branch stands for both (attention and MLP in parallel). */
function readBranches(graph: Graph, base: string, output: string, fusedBias: boolean): Branch[] | null {
  const parts = operands(graph, origin(graph, output))?.map((part) => readBranch(graph, base, part, false));
  if (
    parts?.every((part) => part !== null) &&
    parts.some((p) => p.kind === 'attention') &&
    parts.some((p) => p.kind === 'mlp')
  ) {
    return parts;
  }
  const branch = readBranch(graph, base, output, fusedBias);
  return branch && [branch];
}

/** The operand, of those added up, that all others are computed from. */
function baseOf(graph: Graph, leaves: readonly string[]): string | undefined {
  const dependsOn = (other: string, leaf: string) => nodesBetween(graph, origin(graph, leaf), other).length > 0;
  return leaves.find((leaf) => leaves.every((other) => other === leaf || dependsOn(other, leaf)));
}

/** Reads a tensor as a residual sum, or null if it is none. */
function readLink(graph: Graph, sum: string): Link | null {
  let leaves: string[] | null = operands(graph, sum);
  while (leaves && leaves.length <= mostLeaves) {
    const skip = baseOf(graph, leaves);
    if (skip !== undefined) {
      const base = origin(graph, skip);
      const node = producerOf(graph, sum)!;
      const bias = node.input?.[node.opType === 'SkipLayerNormalization' ? 4 : 3];
      const fusedBias = skipNorms.has(node.opType) && bias !== undefined && bias !== '';
      const branches = leaves.filter((leaf) => leaf !== skip).map((leaf) => readBranches(graph, base, leaf, fusedBias));
      return branches.every((branch) => branch !== null) ? { base, sum, branches: branches.flat() } : null;
    }
    leaves = expandLatest(graph, leaves);
  }
  return null;
}

/** Replaces the operand computed last, of those that are sums themselves, by its own operands: a + (b + x). */
function expandLatest(graph: Graph, leaves: readonly string[]): string[] | null {
  const parts = (leaf: string) => operands(graph, origin(graph, leaf));
  const index = (leaf: string) => graph.producer.get(origin(graph, leaf)) ?? -1;
  const [latest] = leaves.filter((leaf) => parts(leaf)).sort((a, b) => index(b) - index(a));
  return latest === undefined ? null : [...leaves.filter((leaf) => leaf !== latest), ...parts(latest)!];
}

/** The sum a tensor continues: itself, or in models that normalise the stream after each sum (BERT) what was normalised. */
function sumUnder(graph: Graph, base: string): string {
  const node = producerOf(graph, base);
  if (node && skipNorms.has(node.opType)) return node.output?.[3] ?? base;
  return node?.opType === 'LayerNormalization' ? origin(graph, node.input?.[0] ?? '') : base;
}

/** The residual stream from the embedding on; empty where the graph has none. */
export function residualStream(graph: Graph): Link[] {
  const links = new Map<string, { link: Link; length: number }>();
  const before = (link: Link) => links.get(sumUnder(graph, link.base));
  let end: { link: Link; length: number } | undefined;
  for (const node of graph.nodes) {
    const sum = skipNorms.has(node.opType) ? node.output?.[3] : node.output?.[0];
    const link = sum === undefined || !operands(graph, sum) ? null : readLink(graph, sum);
    if (!link) continue;
    const entry = { link, length: 1 + (before(link)?.length ?? 0) };
    links.set(link.sum, entry);
    if (entry.length >= (end?.length ?? 0)) end = entry;
  }
  const stream: Link[] = [];
  for (let at = end; at; at = before(at.link)) stream.unshift(at.link);
  return stream;
}
