import { OnnxBuilder } from './onnx-builder.js';

/**
 * The dense products of an SAE as ONNX graphs. Shapes: xc [rows, d] activations minus b_d, encoder and decoder [n, d],
 * encoder_bias [n].
 */

function encoderProduct(graph: OnnxBuilder, d: number, n: number | string): string {
  graph.input('xc', 'float32', ['rows', d]);
  graph.input('encoder', 'float32', [n, d]);
  graph.input('encoder_bias', 'float32', [n]);
  return graph.node('Gemm', ['xc', 'encoder', 'encoder_bias'], 'h', { transB: 1 });
}

/**
 * Pre-activations h = x_c·W_eᵀ + b_e and of each row only the `k` largest, in any order: `values` [rows, k] and `indices`
 * (int32). The n-wide pre-activations never leave ONNX Runtime.
 */
export function topkEncoderGraph(d: number, n: number, k: number): Uint8Array {
  const graph = new OnnxBuilder();
  const h = encoderProduct(graph, d, n);
  graph.node('TopK', [h, graph.constant('k', 'int64', [k])], ['values', 'places'], { axis: -1, sorted: 0 });
  graph.node('Cast', ['places'], 'indices', { to: 6 });
  graph.output('values', 'float32', ['rows', k]);
  graph.output('indices', 'int32', ['rows', k]);
  return graph.bytes();
}

/**
 * Of each row the `candidates` latents with the largest approximate pre-activations, in any order: `indices` (int32).
 * `rows` [rows, d] is uint8 around 128, `encoder` int8 [d, n], and h ≈ scales·(rows − 128)·encoder + bias.
 */
export function candidatesGraph(d: number, n: number, candidates: number): Uint8Array {
  const graph = new OnnxBuilder();
  graph.input('rows', 'uint8', ['rows', d]);
  graph.input('encoder', 'int8', [d, n]);
  graph.input('scales', 'float32', [n]);
  graph.input('bias', 'float32', [n]);
  const one = graph.constant('one', 'float32', [1], []);
  const middle = graph.constant('middle', 'uint8', [128], []);
  const product = ['rows', 'encoder', one, 'scales', middle, '', 'bias'];
  const h = graph.node('MatMulIntegerToFloat', product, 'h', {}, 'com.microsoft');
  graph.node('Cast', [largestPlaces(graph, h, n, candidates)], 'indices', { to: 6 });
  graph.output('indices', 'int32', ['rows', candidates]);
  return graph.bytes();
}

/** Most latents of a group: TopK has about as much to do with groups as with the latents in those it chooses. */
const groupSize = 32;
/** With smaller ones there would be hardly less to look through. */
const leastGroup = 4;

/**
 * Where the `count` largest values of each row of h [rows, n] are: int64 [rows, count], in any order. Alone, TopK takes as long
 * as the int8 product, or longer. Here it first orders groups of consecutive latents by their largest value. The largest values
 * lie in the first `count` groups, and in these it finds them. One group more is taken, of which the largest value is a bound
 * that `count` values exceed: those below are raised to it, so that TopK has fewer of them to move.
 */
function largestPlaces(graph: OnnxBuilder, h: string, n: number, count: number): string {
  const topK = (values: string, name: string, k: number) => {
    const outputs = [`${name}_values`, `${name}_places`] as const;
    graph.node('TopK', [values, graph.constant(`${name}_k`, 'int64', [k])], [...outputs], { axis: -1, sorted: 0 });
    return outputs;
  };
  const atMost = Math.floor(n / (2 * count)); // the fewer groups, the more of them would be chosen
  const size = Math.min(groupSize, 2 ** Math.floor(Math.log2(atMost)), n & -n); // the last: what divides n
  if (size < leastGroup) return topK(h, 'all', count)[1];

  const second = graph.constant('second', 'int64', [1]);
  const third = graph.constant('third', 'int64', [2]);
  const grouped = graph.node('Reshape', [h, graph.constant('groups', 'int64', [0, n / size, size])], 'grouped');
  const [best, groups] = topK(graph.node('ReduceMax', [grouped, third], 'largest', { keepdims: 0 }), 'best', count + 1);
  const bound = graph.node('ReduceMin', [best, second], 'bound');
  const chosen = graph.node('Unsqueeze', [groups, third], 'chosen');
  const inThem = graph.node('GatherND', [grouped, chosen], 'in_them', { batch_dims: 1 });
  const flat = graph.node(
    'Reshape',
    [inThem, graph.constant('flat', 'int64', [0, (count + 1) * size])],
    'flat_in_them',
  );
  const [, places] = topK(graph.node('Max', [flat, bound], 'raised'), 'found', count);

  // from places among the groups chosen to places in the row
  const sizeOf = graph.constant('size', 'int64', [size]);
  const among = graph.node('Div', [places, sizeOf], 'among');
  const group = graph.node('GatherElements', [groups, among], 'group', { axis: 1 });
  const further = graph.node('Mul', [graph.node('Sub', [group, among], 'groups_between'), sizeOf], 'further');
  return graph.node('Add', [places, further], 'in_row');
}

/** Pre-activations alone: `h` [rows, n]. */
export function denseEncoderGraph(d: number, n: number): Uint8Array {
  const graph = new OnnxBuilder();
  graph.output(encoderProduct(graph, d, n), 'float32', ['rows', n]);
  return graph.bytes();
}

/** From ∂L/∂x̂ = g to the gradients of z = max(h, 0) and both matrices; `penalty` is added to g_z where z > 0. */
function reluGradients(graph: OnnxBuilder, z: string, g: string, penalty: string | undefined): void {
  graph.node('Gemm', [g, 'decoder'], 'gz', { transB: 1 });
  graph.node('Greater', [z, graph.constant('zero', 'float32', [0], [])], 'active');
  graph.node('Cast', ['active'], 'mask', { to: 1 });
  const total = penalty === undefined ? 'gz' : graph.node('Add', ['gz', penalty], 'gz_total');
  graph.node('Mul', [total, 'mask'], 'gh');
  graph.node('Gemm', ['gh', 'xc'], 'encoder_gradient', { transA: 1 });
  graph.node('Gemm', [z, g], 'decoder_gradient', { transA: 1 });
  graph.node('ReduceSum', ['gh', graph.constant('rows_axis', 'int64', [0])], 'bias_gradient', { keepdims: 0 });
}

/**
 * A whole dense step of `standard` on a chunk of rows. `a` = 2/B, `penalty` = λ/B. Outputs: r = x̂ − x [rows, d], the three
 * gradients (decoder's not yet projected), `active_per_row` [rows], `active_per_latent` [n] and `l1` = Σ z.
 */
export function denseStandardGraph(d: number, n: number): Uint8Array {
  const graph = new OnnxBuilder();
  const z = graph.node('Relu', [encoderProduct(graph, d, n)], 'z');
  graph.input('decoder', 'float32', [n, d]);
  graph.input('a', 'float32', []);
  graph.input('penalty', 'float32', []);
  graph.node('Gemm', [z, 'decoder'], 'xhat');
  graph.node('Sub', ['xhat', 'xc'], 'r');
  const g = graph.node('Mul', ['r', 'a'], 'g');
  reluGradients(graph, z, g, 'penalty');
  const latentsAxis = graph.constant('latents_axis', 'int64', [1]);
  graph.node('ReduceSum', ['mask', latentsAxis], 'active_per_row', { keepdims: 0 });
  graph.node('ReduceSum', ['mask', 'rows_axis'], 'active_per_latent', { keepdims: 0 });
  graph.node('ReduceSum', [z], 'l1', { keepdims: 0 });
  graph.output('r', 'float32', ['rows', d]);
  graph.output('encoder_gradient', 'float32', [n, d]);
  graph.output('decoder_gradient', 'float32', [n, d]);
  graph.output('bias_gradient', 'float32', [n]);
  graph.output('active_per_row', 'float32', ['rows']);
  graph.output('active_per_latent', 'float32', [n]);
  graph.output('l1', 'float32', []);
  return graph.bytes();
}

/**
 * AuxK over D gathered dead latents (encoder, decoder, encoder_bias are theirs): ê = Σ a_j d_j over the k_aux largest
 * a = ReLU(h) of each row, without b_d, and the loss Σ ‖ê − e‖² with e = x − x̂ = −r. `a` = 2·α·…·V/(V_e·B) multiplies the
 * gradient. `select` false: all D latents take part, which is the case while D ≤ k_aux. Gao et al. 2024, §A.2.
 */
export function auxKGraph(d: number, select: boolean): Uint8Array {
  const graph = new OnnxBuilder();
  const h = encoderProduct(graph, d, 'dead');
  graph.input('decoder', 'float32', ['dead', d]);
  graph.input('r', 'float32', ['rows', d]);
  graph.input('a', 'float32', []);
  let z = graph.node('Relu', [h], select ? 'relu' : 'z');
  if (select) {
    graph.input('k_aux', 'int64', [1]);
    graph.node('TopK', [z, 'k_aux'], ['largest', 'places'], { axis: -1, sorted: 0 });
    graph.node('Sub', [z, z], 'none');
    z = graph.node('ScatterElements', ['none', 'places', 'largest'], 'z', { axis: 1 });
  }
  graph.node('MatMul', [z, 'decoder'], 'ehat');
  graph.node('Add', ['ehat', 'r'], 'miss');
  const g = graph.node('Mul', ['miss', 'a'], 'g');
  graph.node('Mul', ['miss', 'miss'], 'square');
  graph.node('ReduceSum', ['square'], 'loss', { keepdims: 0 });
  reluGradients(graph, z, g, undefined);
  graph.output('loss', 'float32', []);
  graph.output('encoder_gradient', 'float32', ['dead', d]);
  graph.output('decoder_gradient', 'float32', ['dead', d]);
  graph.output('bias_gradient', 'float32', ['dead']);
  return graph.bytes();
}
