import type { Control } from '../control.js';
import { encodeBlocks, type PlacedRows } from '../evaluation/blocks.js';
import type { Inference } from '../evaluation/metrics.js';
import type { Codes } from '../sae/infer.js';

/** One place in the text where a latent is active. */
export interface Example {
  activation: number;
  /** Context, or sample of recorded activations. */
  sample: number;
  position: number;
}

/**
 * Firing statistics of every latent and its strongest examples, at most one per context: the strongest position of it.
 * Of equally strong ones the earlier in the text wins, so that the result does not depend on the order of arrival.
 * Memory: 12 bytes per example kept, whatever the amount of text.
 */
export class TopExamples {
  readonly latents: number;
  readonly perLatent: number;
  /** Tokens seen. */
  tokens = 0;
  /** [n] tokens each latent fired on. */
  readonly firingCounts: Float64Array;
  readonly #sums: Float64Array;
  /** [n, perLatent]; the first `#kept[i]` of row i are in use, in no order. */
  readonly #activations: Float32Array;
  readonly #samples: Uint32Array;
  readonly #positions: Uint32Array;
  readonly #kept: Uint16Array;
  /** [n] the weakest activation kept once all places are taken: most tokens need no more than this one comparison. */
  readonly #floor: Float32Array;

  constructor(latents: number, perLatent = 10) {
    this.latents = latents;
    this.perLatent = perLatent;
    this.firingCounts = new Float64Array(latents);
    this.#sums = new Float64Array(latents);
    this.#activations = new Float32Array(latents * perLatent);
    this.#samples = new Uint32Array(latents * perLatent);
    this.#positions = new Uint32Array(latents * perLatent);
    this.#kept = new Uint16Array(latents);
    this.#floor = new Float32Array(latents).fill(-Infinity);
  }

  /** Adds the rows of a block with what the SAE made of them. */
  add({ count, samples, positions }: PlacedRows, codes: Codes): void {
    this.tokens += count;
    for (let row = 0; row < count; row++) {
      for (let e = codes.offsets[row]!; e < codes.offsets[row + 1]!; e++) {
        const activation = codes.values[e]!;
        if (!(activation > 0)) continue;
        const latent = codes.indices[e]!;
        this.firingCounts[latent]!++;
        this.#sums[latent]! += activation;
        if (activation >= this.#floor[latent]!) {
          this.#offer(latent, { activation, sample: samples[row]!, position: positions[row]! });
        }
      }
    }
  }

  /** Mean activation over the tokens a latent fires on; null where it never did. */
  meanActivation(latent: number): number | null {
    const count = this.firingCounts[latent]!;
    return count === 0 ? null : this.#sums[latent]! / count;
  }

  /** A latent's examples, strongest first. */
  examples(latent: number): Example[] {
    const start = latent * this.perLatent;
    return Array.from({ length: this.#kept[latent]! }, (_, i) => this.#at(start + i)).sort(compare);
  }

  #at(slot: number): Example {
    return {
      activation: this.#activations[slot]!,
      sample: this.#samples[slot]!,
      position: this.#positions[slot]!,
    };
  }

  #offer(latent: number, example: Example): void {
    const start = latent * this.perLatent;
    const kept = this.#kept[latent]!;
    let weakest = start;
    for (let slot = start; slot < start + kept; slot++) {
      if (this.#samples[slot] === example.sample) {
        if (compare(example, this.#at(slot)) < 0) this.#place(latent, slot, example);
        return;
      }
      if (compare(this.#at(slot), this.#at(weakest)) > 0) weakest = slot;
    }
    if (kept < this.perLatent) {
      this.#kept[latent] = kept + 1;
      this.#place(latent, start + kept, example);
    } else if (compare(example, this.#at(weakest)) < 0) this.#place(latent, weakest, example);
  }

  #place(latent: number, slot: number, { activation, sample, position }: Example): void {
    this.#activations[slot] = activation;
    this.#samples[slot] = sample;
    this.#positions[slot] = position;
    if (this.#kept[latent] !== this.perLatent) return;
    const start = latent * this.perLatent;
    this.#floor[latent] = this.#activations.subarray(start, start + this.perLatent).reduce((a, b) => Math.min(a, b));
  }
}

/** Stronger first, then earlier in the text. */
function compare(a: Example, b: Example): number {
  return b.activation - a.activation || a.sample - b.sample || a.position - b.position;
}

export interface CollectRequest {
  /** The SAE, in the units of the blocks. */
  inference: Inference;
  /** d */
  width: number;
  /** n */
  latents: number;
  blocks: AsyncIterable<PlacedRows>;
  control: Control;
  /** Tokens searched so far. */
  onProgress?: (tokens: number) => void;
}

/** Firing counts and top examples of every latent over the blocks given. */
export async function collectFeatures(request: CollectRequest): Promise<TopExamples> {
  const { inference, width, latents, blocks, control, onProgress } = request;
  const top = new TopExamples(latents);
  for await (const block of encodeBlocks(inference, width, blocks, control)) {
    top.add(block, block.codes);
    onProgress?.(top.tokens);
  }
  return top;
}
