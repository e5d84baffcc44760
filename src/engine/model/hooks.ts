import { nearest } from '../../shared/config.js';
import { inputError } from '../../shared/errors.js';
import type { Graph } from './graph.js';
import { elementType } from './onnx.js';
import { residualStream, type Branch, type Link } from './residual.js';
import { elementTypeOf, lastDim } from './shapes.js';

/** A place in the model whose activations can be read and replaced. */
export interface Hook {
  /** TransformerLens name, or the tensor's own where it has none. */
  name: string;
  /** Name of the tensor in the graph, [batch, sequence, width]. */
  tensor: string;
  layer: number | null;
  /** null where the graph does not say; a `TappedModel` then knows. */
  width: number | null;
}

/** The chain of residual sums in layers: each begins with an attention branch. */
function layersOf(stream: readonly Link[]): Link[][] {
  const layers: Link[][] = [];
  for (const link of stream) {
    const last = layers.at(-1);
    if (last && !link.branches.some(({ kind }) => kind === 'attention')) last.push(link);
    else layers.push([link]);
  }
  return layers;
}

/**
 * The hook points of a model, in the order they are computed within each layer, named as in TransformerLens. They come from the
 * residual stream alone, so names of nodes do not matter. In models that run attention and MLP in parallel there is no
 * `hook_resid_mid`. `hook_embed` is where the stream begins: for learned positions, token and position embedding together.
 */
export function findHooks(graph: Graph): Hook[] {
  const stream = residualStream(graph);
  const [first] = stream;
  if (!first) return [];
  const hook = (name: string, tensor: string, layer: number | null): Hook => {
    return { name, tensor, layer, width: lastDim(graph, tensor) };
  };
  const hooks = [hook('hook_embed', first.base, null)];
  for (const [layer, links] of layersOf(stream).entries()) {
    const add = (name: string, tensor: string) => hooks.push(hook(`blocks.${layer}.${name}`, tensor, layer));
    const branches = links.flatMap((link) => link.branches);
    const only = (kind: Branch['kind']) => {
      const found = branches.filter((branch) => branch.kind === kind);
      return found.length === 1 ? found[0]! : null;
    };
    const attention = only('attention');
    const mlp = only('mlp');
    add('hook_resid_pre', links[0]!.base);
    if (attention && !attention.fusedBias) add('hook_attn_out', attention.output);
    if (links.length === 2) add('hook_resid_mid', links[0]!.sum);
    if (mlp && !graph.constants.has(mlp.lastProductInput)) add('mlp.hook_post', mlp.lastProductInput);
    if (mlp && !mlp.fusedBias) add('hook_mlp_out', mlp.output);
    add('hook_resid_post', links.at(-1)!.sum);
  }
  return hooks;
}

const float: readonly (number | null)[] = [
  elementType.float,
  elementType.float16,
  elementType.bfloat16,
  elementType.double,
  null,
];

/** Every tensor that may be named as a hook: computed from the input, and of floats as far as the graph says. */
function tensorNames(graph: Graph): string[] {
  return [...graph.producer.keys()].filter(
    (name) => !graph.constants.has(name) && float.includes(elementTypeOf(graph, name)),
  );
}

/**
 * The hook point a configuration means: `hook_name`, else `blocks.{layer_idx}.hook_resid_post`. A `hook_name` can be any float
 * tensor of the graph, too.
 * @throws WorkbenchError `hook_not_found` with the layers or the nearest names there are.
 */
export function selectHook(
  graph: Graph,
  { layer_idx: layer, hook_name: name }: { layer_idx?: number | undefined; hook_name?: string | undefined },
): Hook {
  const hooks = findHooks(graph);
  const wanted = name ?? `blocks.${layer ?? 0}.hook_resid_post`;
  const found = hooks.find((hook) => hook.name === wanted);
  if (found) return found;
  if (name !== undefined) return selectTensor(graph, name, hooks);
  const layers = 1 + Math.max(-1, ...hooks.map((hook) => hook.layer ?? -1));
  if (layers === 0) throw noStream(graph);
  const sentence = `The model has no layer ${layer ?? 0}: it has ${layers} layers, 0 to ${layers - 1}.`;
  throw inputError('hook_not_found', sentence, `Choose a layer from 0 to ${layers - 1}.`, 'layer_idx');
}

function selectTensor(graph: Graph, name: string, hooks: readonly Hook[]): Hook {
  const tensors = tensorNames(graph);
  if (tensors.includes(name)) return { name, tensor: name, layer: null, width: lastDim(graph, name) };
  const names = nearest(name, [...hooks.map((hook) => hook.name), ...(/^(blocks|hook_)/.test(name) ? [] : tensors)]);
  const sentence = `The model has no hook point ${JSON.stringify(name)}.`;
  if (names.length === 0) throw noStream(graph);
  throw inputError('hook_not_found', sentence, `The nearest names are ${names.join(', ')}.`, 'hook_name');
}

function noStream(graph: Graph) {
  const sentence = `No residual stream was recognised in ${graph.path}.`;
  const hint = 'Name a tensor of the graph as hook_name; an ONNX viewer such as netron.app shows their names.';
  return inputError('hook_not_found', sentence, hint, 'hook_name');
}
