import type { Graph } from './graph.js';
import { weightDims } from './shapes.js';

/** Operators that hand token ids on unchanged. */
const passing = new Set(['Reshape', 'Cast', 'Identity', 'Unsqueeze', 'Squeeze']);

/** Rows of the token embedding: how many tokens the model knows. Null where `input_ids` is not looked up in a weight. */
export function embeddingRows(graph: Graph): number | null {
  const ids = new Set(['input_ids']);
  for (const node of graph.nodes) {
    const input = node.input ?? [];
    if (passing.has(node.opType) && ids.has(input[0] ?? '')) ids.add(node.output?.[0] ?? '');
    if (node.opType === 'Gather' && ids.has(input[1] ?? '')) {
      const dims = weightDims(graph, input[0] ?? '');
      if (dims?.length === 2) return dims[0]!;
    }
  }
  return null;
}
