import type { HookDescription } from '../../shared/messages.js';

/**
 * The hook point that is offered first: the residual stream after a layer somewhat past the middle, where features are
 * neither those of single tokens nor those of the next token any more; where there is none, the first one.
 */
export function usualHook(hooks: readonly HookDescription[]): HookDescription | undefined {
  const layers = new Set(hooks.map(({ layer }) => layer).filter((layer) => layer !== null));
  const wanted = Math.floor(0.6 * layers.size);
  return hooks.find(({ name }) => name === `blocks.${wanted}.hook_resid_post`) ?? hooks[0];
}

/** The hook points by layer, as the model has them; those before the first layer under null. */
export function byLayer(hooks: readonly HookDescription[]): Map<number | null, HookDescription[]> {
  const groups = new Map<number | null, HookDescription[]>();
  for (const hook of hooks) groups.set(hook.layer, [...(groups.get(hook.layer) ?? []), hook]);
  return groups;
}
