import { blocks } from '../../../../shared/memory.js';

/** Where the fixed blocks of a range begin, and where it ends: always the same number of them, whatever the threads. */
export function evenCuts(length: number): Int32Array {
  return Int32Array.from({ length: blocks + 1 }, (_, block) => Math.floor((block * length) / blocks));
}

/** The same for kernels that take latents by sixteens. */
export function latentCuts(latents: number): Int32Array {
  return evenCuts(latents).map((cut, block) => (block === blocks ? cut : cut & ~15));
}

/**
 * Blocks of latents with about equally much to do: `starts` [n + 1] tells where each latent's entries begin, and a latent
 * without any costs as much as `latentCost` entries. The entries of the first `kept` latents cost nothing.
 */
export function balancedCuts(starts: Int32Array, latents: number, latentCost: number, kept = 0): Int32Array {
  const cuts = new Int32Array(blocks + 1);
  const costBefore = (latent: number) => starts[Math.max(latent, kept)]! - starts[kept]! + latent * latentCost;
  const total = costBefore(latents);
  let latent = 0;
  for (let block = 1; block < blocks; block++) {
    const wanted = (block * total) / blocks;
    while (latent < latents && costBefore(latent) < wanted) latent++;
    cuts[block] = latent;
  }
  cuts[blocks] = latents;
  return cuts;
}
