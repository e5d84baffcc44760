import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../../../src/engine/random.js';
import { TopExamples, type Example } from '../../../src/engine/features/collect.js';

interface Firing extends Example {
  latent: number;
}

const latents = 7;

/** Firings with many ties: activations are multiples of a quarter. */
function firings(seed: number, count: number): Firing[] {
  const random = new Random(seed, 'firings');
  return Array.from({ length: count }, () => ({
    latent: random.below(latents - 1),
    activation: random.below(20) / 4,
    sample: random.below(40),
    position: random.below(30),
  }));
}

/** Adds each firing as a row of its own. */
function collect(all: Firing[], perLatent: number): TopExamples {
  const top = new TopExamples(latents, perLatent);
  for (let start = 0; start < all.length; start += 13) {
    const block = all.slice(start, start + 13);
    top.add(
      {
        rows: new Float32Array(0),
        count: block.length,
        samples: Uint32Array.from(block, ({ sample }) => sample),
        positions: Uint32Array.from(block, ({ position }) => position),
      },
      {
        offsets: Int32Array.from({ length: block.length + 1 }, (_, i) => i),
        indices: Int32Array.from(block, ({ latent }) => latent),
        values: Float32Array.from(block, ({ activation }) => activation),
      },
    );
  }
  return top;
}

const order = (a: Example, b: Example) => b.activation - a.activation || a.sample - b.sample || a.position - b.position;

/** The same by sorting everything. */
function expected(all: Firing[], latent: number, perLatent: number): Example[] {
  const seen = new Set<number>();
  return all
    .filter((firing) => firing.latent === latent && firing.activation > 0)
    .map(({ activation, sample, position }) => ({ activation, sample, position }))
    .sort(order)
    .filter(({ sample }) => !seen.has(sample) && seen.add(sample))
    .slice(0, perLatent);
}

describe('the top examples', () => {
  it('are the strongest of all, one per context, strongest first, the earlier of equals', () => {
    for (let seed = 0; seed < 20; seed++) {
      const all = firings(seed, 1500);
      const top = collect(all, 5);
      for (let latent = 0; latent < latents; latent++) {
        assert.deepEqual(top.examples(latent), expected(all, latent, 5), `seed ${seed}, latent ${latent}`);
      }
    }
  });

  it('do not depend on the order in which the text came', () => {
    const all = firings(3, 1000);
    const there = collect(all, 4);
    const back = collect(all.toReversed(), 4);
    for (let latent = 0; latent < latents; latent++) assert.deepEqual(there.examples(latent), back.examples(latent));
  });

  it('come with how often and how strongly each latent fires', () => {
    const all = firings(5, 800);
    const top = collect(all, 3);
    assert.equal(top.tokens, 800);
    for (let latent = 0; latent < latents; latent++) {
      const active = all.filter((firing) => firing.latent === latent && firing.activation > 0);
      assert.equal(top.firingCounts[latent], active.length);
      const sum = active.reduce((total, { activation }) => total + activation, 0);
      assert.equal(top.meanActivation(latent), active.length === 0 ? null : sum / active.length);
    }
    assert.equal(top.meanActivation(latents - 1), null);
    assert.deepEqual(top.examples(latents - 1), []);
  });
});
