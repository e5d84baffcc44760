/** Counts of latents by log10 of their firing frequency: bin i is `edges[i]` ≤ log10 f < `edges[i + 1]`. */
export interface DensityHistogram {
  edges: number[];
  counts: number[];
  /** Latents that fired on no row. */
  never: number;
}

const lowest = -7;
const binsPerDecade = 5;
const bins = -lowest * binsPerDecade;

/** How often each latent fires. */
export class Density {
  readonly #fired: Float64Array;

  constructor(latents: number) {
    this.#fired = new Float64Array(latents);
  }

  /** The latent is active on one more row. */
  fire(latent: number): void {
    this.#fired[latent]!++;
  }

  /** The histogram over `rows` rows. What is rarer than the first edge is counted in the first bin, f = 1 in the last. */
  histogram(rows: number): DensityHistogram {
    const edges = Array.from({ length: bins + 1 }, (_, i) => (i + lowest * binsPerDecade) / binsPerDecade);
    const counts = new Array<number>(bins).fill(0);
    let never = 0;
    for (const fired of this.#fired) {
      const bin = Math.floor((Math.log10(fired / rows) - lowest) * binsPerDecade);
      if (fired === 0) never++;
      else counts[Math.min(bins - 1, Math.max(0, bin))]!++;
    }
    return { edges, counts, never };
  }
}
