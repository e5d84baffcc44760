import { resolveConfig, type Architecture } from '../../shared/config.js';
import { fitsInMemory, memoryNeeded } from '../../shared/memory.js';

/** A number of latents that can be chosen. */
export interface LatentChoice {
  latents: number;
  /** Latents per dimension of the activations. */
  expansion: number;
  /** What training takes at most, in bytes. */
  memoryBytes: number;
  fits: boolean;
  /** Whether it is what a configuration without `latent_dim` gets. */
  usual: boolean;
}

/** What the choices depend on. */
export interface LatentOptions {
  architecture: Architecture;
  /** d, the width of the activations. */
  width: number;
  /** Memory that a training may take. */
  availableBytes: number;
}

/** What a number of latents takes; undefined: the usual one for the width. */
export function latentChoice(given: number | undefined, options: LatentOptions): LatentChoice {
  const { architecture, width, availableBytes } = options;
  // With as much text as there can be, and so the largest batch: the most memory that is taken.
  const config = resolveConfig({ architecture, latent_dim: given }, width, Infinity);
  const memory = memoryNeeded(config, width, Infinity);
  return {
    latents: config.latent_dim,
    expansion: config.latent_dim / width,
    memoryBytes: memory.total,
    fits: fitsInMemory(memory, availableBytes),
    usual: given === undefined,
  };
}

/** Powers of two around what is usual for the width, and that itself, from few to many. */
export function latentChoices(options: LatentOptions): LatentChoice[] {
  const usual = latentChoice(undefined, options);
  const middle = Math.round(Math.log2(usual.latents));
  const powers = [-3, -2, -1, 0, 1, 2].map((step) => 2 ** (middle + step));
  const others = powers.filter((latents) => latents >= 2 && latents !== usual.latents);
  const choices = [usual, ...others.map((latents) => latentChoice(latents, options))];
  return choices.sort((a, b) => a.latents - b.latents);
}
