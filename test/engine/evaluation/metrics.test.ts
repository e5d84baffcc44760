import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random } from '../../../src/engine/random.js';
import { spread } from '../../../src/engine/evaluation/blocks.js';
import { Density } from '../../../src/engine/evaluation/density.js';
import { ReconstructionMetrics } from '../../../src/engine/evaluation/metrics.js';
import type { Inferred } from '../../../src/engine/sae/infer.js';

const width = 6;
const latents = 12;

/** Rows with large means, reconstructed imperfectly, and arbitrary sparse entries. */
function example(rows: number, offset: number) {
  const random = new Random(11, 'metrics');
  const x = Float32Array.from({ length: rows * width }, (_, at) => offset * ((at % width) + 1) + random.normal());
  const reconstruction = x.map((value) => value + 0.3 * random.normal());
  const offsets = new Int32Array(rows + 1);
  const indices: number[] = [];
  const values: number[] = [];
  for (let b = 0; b < rows; b++) {
    for (let i = 0; i < latents - 1; i++) {
      if (random.float() > 0.1 * (i % 4)) continue;
      indices.push(i);
      values.push(random.float() + 0.1);
    }
    offsets[b + 1] = indices.length;
  }
  const codes: Inferred = {
    reconstruction,
    offsets,
    indices: Int32Array.from(indices),
    values: Float32Array.from(values),
  };
  return { x, codes };
}

/** Part of an answer, as a call with fewer rows would have given it. */
function part({ reconstruction, offsets, indices, values }: Inferred, from: number, to: number): Inferred {
  const [first, last] = [offsets[from]!, offsets[to]!];
  return {
    reconstruction: reconstruction.slice(from * width, to * width),
    offsets: offsets.slice(from, to + 1).map((offset) => offset - first),
    indices: indices.slice(first, last),
    values: values.slice(first, last),
  };
}

const close = (actual: number | null, expected: number, tolerance = 1e-9) => {
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual}`);
};

describe('reconstruction metrics', () => {
  it('are what their formulas say, in however many blocks the rows come', () => {
    const rows = 500;
    const { x, codes } = example(rows, 0);
    const row = (values: Float32Array, b: number) => Array.from(values.subarray(b * width, (b + 1) * width));
    const dot = (a: number[], b: number[]) => a.reduce((sum, value, j) => sum + value * b[j]!, 0);
    const norm = (a: number[]) => Math.sqrt(dot(a, a));
    const all = Array.from({ length: rows }, (_, b) => [row(x, b), row(codes.reconstruction, b)] as const);
    const mean = Array.from({ length: width }, (_, j) => all.reduce((sum, [v]) => sum + v[j]!, 0) / rows);
    const minus = (a: number[], b: number[]) => a.map((value, j) => value - b[j]!);
    const residual = all.reduce((sum, [v, w]) => sum + norm(minus(v, w)) ** 2, 0);
    const total = all.reduce((sum, [v]) => sum + norm(minus(v, mean)) ** 2, 0);

    const metrics = new ReconstructionMetrics(width, latents);
    for (const [from, to] of [
      [0, 1],
      [1, 130],
      [130, 130],
      [130, 500],
    ] as const) {
      metrics.add(x.subarray(from * width, to * width), to - from, part(codes, from, to));
    }
    const result = metrics.result();
    assert.equal(result.tokens, rows);
    close(result.explained_variance, 1 - residual / total);
    close(result.fvu, residual / total);
    close(result.mse, residual / (rows * width));
    close(result.cosine, all.reduce((sum, [v, w]) => sum + dot(v, w) / (norm(v) * norm(w)), 0) / rows);
    close(result.l2_ratio, all.reduce((sum, [v, w]) => sum + norm(w) / norm(v), 0) / rows);
    close(result.l0, codes.values.length / rows);
    Array.from(metrics.mean()).forEach((value, j) => {
      close(value, mean[j]!);
    });
  });

  it('keep their digits when the mean dwarfs the variance', () => {
    const { x, codes } = example(300, 1000);
    const metrics = new ReconstructionMetrics(width, latents);
    metrics.add(x, 300, codes);
    let total = 0;
    for (let j = 0; j < width; j++) {
      const column = Array.from({ length: 300 }, (_, b) => x[b * width + j]!);
      const mean = column.reduce((sum, value) => sum + value, 0) / 300;
      total += column.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    }
    const residual = x.reduce((sum, value, at) => sum + (value - codes.reconstruction[at]!) ** 2, 0);
    close(metrics.result().fvu, residual / total, 1e-10);
  });

  it('count as active only what is above zero', () => {
    const metrics = new ReconstructionMetrics(1, 3);
    const codes = {
      reconstruction: Float32Array.of(1, 1),
      offsets: Int32Array.of(0, 2, 3),
      indices: Int32Array.of(0, 1, 1),
      values: Float32Array.of(0, 2, 1),
    };
    metrics.add(Float32Array.of(1, 2), 2, codes);
    assert.equal(metrics.result().l0, 1);
    assert.equal(metrics.result().density.never, 2);
  });

  it('leave rows that are zero out of directions, and count a zero reconstruction as no direction found', () => {
    const metrics = new ReconstructionMetrics(2, 1);
    const codes = {
      reconstruction: Float32Array.of(1, 1, 6, 8, 0, 0),
      offsets: Int32Array.of(0, 0, 0, 0),
      indices: new Int32Array(0),
      values: new Float32Array(0),
    };
    metrics.add(Float32Array.of(0, 0, 3, 4, 1, 0), 3, codes);
    assert.equal(metrics.result().cosine, 0.5);
    assert.equal(metrics.result().l2_ratio, 1);
  });

  it('are null where nothing determines them', () => {
    const none = new ReconstructionMetrics(2, 1).result();
    assert.deepEqual(
      [none.tokens, none.explained_variance, none.fvu, none.l0, none.cosine, none.l2_ratio, none.mse],
      [0, null, null, null, null, null, null],
    );
    assert.equal(none.density.never, 1);
    const single = new ReconstructionMetrics(1, 1);
    const codes = { offsets: Int32Array.of(0, 0), indices: new Int32Array(0), values: new Float32Array(0) };
    single.add(Float32Array.of(2), 1, { reconstruction: Float32Array.of(1), ...codes });
    assert.equal(single.result().explained_variance, null);
    assert.equal(single.result().mse, 1);
  });
});

describe('the density histogram', () => {
  it('puts every latent into the bin of its frequency, or among those that never fired', () => {
    const density = new Density(5);
    const fire = (latent: number, times: number) => {
      for (let i = 0; i < times; i++) density.fire(latent);
    };
    fire(0, 1000);
    fire(1, 100);
    fire(2, 1);
    fire(3, 35);
    const { edges, counts, never } = density.histogram(1000);
    assert.equal(never, 1);
    assert.equal(edges.length, counts.length + 1);
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      4,
    );
    for (const frequency of [0.1, 0.001, 0.035]) {
      const bin = edges.findIndex(
        (edge, i) => edge <= Math.log10(frequency) + 1e-12 && Math.log10(frequency) < edges[i + 1]!,
      );
      assert.equal(counts[bin], 1, `frequency ${frequency}`);
    }
    assert.equal(counts.at(-1), 1, 'always on');
  });
});

describe('a limit on tokens', () => {
  const list = Uint32Array.from({ length: 1000 }, (_, i) => 3 * i);
  const tokens = (member: number) => 20 + (member % 50);

  it('takes members from beginning to end, in order, close to the limit and never above it', () => {
    for (const most of [100, 1234, 20000]) {
      const kept = spread(list, tokens, most);
      const total = kept.reduce((sum, member) => sum + tokens(member), 0);
      assert.ok(total <= most && total > most - 100, `${total} of ${most}`);
      assert.deepEqual(
        [...kept].sort((a, b) => a - b),
        [...kept],
      );
      const later = kept.filter((member) => member >= 1500).length;
      assert.ok(Math.abs(later / kept.length - 0.5) < 0.5 / Math.sqrt(kept.length) + 0.1);
    }
  });

  it('takes all where all fit, and one where none does', () => {
    assert.deepEqual(spread(list, tokens, 1e9), list);
    assert.equal(spread(list, tokens, 1).length, 1);
  });
});
