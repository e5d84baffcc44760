import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../src/engine/random.js';
import { CpuBackend } from '../../../src/engine/training/backends/cpu/cpu.js';
import type { CpuOptions } from '../../../src/engine/training/backends/cpu/options.js';
import { initialise } from '../../../src/engine/training/initialise.js';
import { initialState, parameterNames, referenceStep, type Hyper, type ReferenceState } from '../sae/reference.js';

const names = { encoder: 'encoder', decoder: 'decoder', encoderBias: 'encoder_bias', decoderBias: 'decoder_bias' };

const base: CpuOptions = {
  architecture: 'topk',
  width: 19, // no multiple of four: the kernels' tails take part
  latents: 45,
  k: 5,
  batch: 67,
  preselection: 'int8',
  threads: 1,
  seed: 3,
  clipNorm: 1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  auxCoef: 1 / 32,
  deadAfterTokens: 1e9,
};
const variance = 17;

function stateOf(backend: CpuBackend, { width, latents }: CpuOptions): ReferenceState {
  const tensors = backend.tensors;
  const values = (name: string) => Float64Array.from(tensors[name]!.data as Float32Array);
  const state = initialState(width, latents, {
    encoder: values('encoder'),
    decoder: values('decoder'),
    encoderBias: values('encoder_bias'),
    decoderBias: values('decoder_bias'),
  });
  for (const name of parameterNames) {
    state.firstMoments[name] = values(`${names[name]}.m`);
    state.secondMoments[name] = values(`${names[name]}.v`);
  }
  state.step = (tensors.state!.data as Uint32Array)[0]!;
  state.sinceFired = values('since_fired');
  return state;
}

/** Largest difference, relative to the largest value. */
function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let most = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    most = Math.max(most, Math.abs(actual[i]! - expected[i]!));
    size = Math.max(size, Math.abs(expected[i]!));
  }
  return size > 0 ? most / size : most;
}

/** Takes `steps` steps and compares each with the float64 reference from the same state. Returns the largest number dead. */
async function compare(options: CpuOptions, steps: number, sparsityCoef: number, biasShift = 0): Promise<number> {
  const random = new Random(11, 'test');
  const backend = await CpuBackend.create(options);
  const { width, latents, batch } = options;
  const center = Float32Array.from({ length: width }, () => 0.3 * random.normal());
  initialise(backend.weights, center, false, options.seed);
  backend.weights.encoderBias.forEach((_, i, bias) => (bias[i] = 0.2 * random.normal() + biasShift));
  backend.constants = { scale: 1, variance };
  let mostDead = 0;
  for (let step = 0; step < steps; step++) {
    const x = Float32Array.from({ length: batch * width }, () => random.normal());
    const before = stateOf(backend, options);
    const hyper: Hyper = { ...options, variance, learningRate: 1e-2, sparsityCoef };
    const expected = referenceStep(before, Float64Array.from(x), hyper);
    backend.input.set(x);
    const actual = await backend.step(1e-2, sparsityCoef, () => Promise.resolve());
    const close = (name: string, a: number, b: number) => {
      assert.ok(Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b)), `step ${step}: ${name} is ${a}, expected ${b}`);
    };
    close('reconstruction loss', actual.reconstructionLoss, expected.losses.reconstruction);
    close('sparsity loss', actual.sparsityLoss, expected.losses.sparsity);
    close('aux loss', actual.auxLoss, expected.losses.aux);
    assert.equal(actual.dead, expected.selection.dead.length);
    const after = stateOf(backend, options);
    assert.deepEqual(after.sinceFired, expected.state.sinceFired);
    for (const name of parameterNames) {
      for (const part of ['firstMoments', 'secondMoments', 'parameters'] as const) {
        const worst = difference(after[part][name], expected.state[part][name]);
        assert.ok(worst <= 1e-5, `step ${step}: ${part}.${name} differs by ${worst}`);
      }
    }
    assert.equal(after.parameters.encoder.length, latents * width);
    mostDead = Math.max(mostDead, actual.dead);
  }
  await backend.dispose();
  return mostDead;
}

test('a topk step equals the float64 reference', async () => {
  await compare(base, 4, 0);
});

test('a topk step without clipping equals the float64 reference', async () => {
  await compare({ ...base, clipNorm: 1e9 }, 2, 0);
});

test('rows with fewer than k positive pre-activations drop the others', async () => {
  await compare({ ...base, k: 20 }, 3, 0, -1.2);
});

test('AuxK with few dead latents equals the float64 reference', async () => {
  const dead = await compare({ ...base, width: 40, latents: 24, k: 1, batch: 16, deadAfterTokens: 32 }, 5, 0);
  assert.ok(dead > 0 && dead <= 20, `${dead} dead`);
});

test('AuxK that selects among many dead latents equals the float64 reference', async () => {
  const dead = await compare({ ...base, width: 12, latents: 90, k: 1, batch: 16, deadAfterTokens: 16 }, 4, 0);
  assert.ok(dead > 6, `${dead} dead`);
});

test('a dense step of standard equals the float64 reference', async () => {
  await compare({ ...base, architecture: 'standard' }, 4, 0.7);
});

test('standard takes the sparse path once its rows are sparse, with the same result', async () => {
  // 300 latents at a bias of -2: a handful fire, far fewer than the 256 the sparse path takes
  // where hardly anything fires Adam divides gradients by themselves: ε keeps rounding errors from growing
  const options: CpuOptions = { ...base, architecture: 'standard', latents: 300, batch: 130, epsilon: 1e-4 };
  const backend = await CpuBackend.create(options);
  initialise(backend.weights, new Float32Array(options.width), false, 1);
  backend.weights.encoderBias.fill(-2);
  backend.constants = { scale: 1, variance };
  const random = new Random(5, 'sparse');
  const path: number[] = [];
  for (let step = 0; step < 3; step++) {
    backend.input.set(Float32Array.from({ length: backend.input.length }, () => random.normal()));
    path.push((backend.tensors.state!.data as Uint32Array)[1]!);
    await backend.step(1e-3, 0.5, () => Promise.resolve());
  }
  await backend.dispose();
  assert.deepEqual(path, [1, 0, 0]);
  await compare(options, 4, 0.5, -2);
});

test('a row that overflows the sparse path sends its batch down the dense one', async () => {
  const options: CpuOptions = { ...base, architecture: 'standard', latents: 400, batch: 70 };
  const backend = await CpuBackend.create(options);
  initialise(backend.weights, new Float32Array(options.width), false, 1);
  backend.constants = { scale: 1, variance };
  const state = backend.tensors.state!.data as Uint32Array;
  backend.weights.encoderBias.fill(3);
  state[1] = 0;
  const x = Float32Array.from({ length: backend.input.length }, (_, i) => Math.sin(i));
  backend.input.set(x);
  const hyper: Hyper = { ...options, variance, learningRate: 1e-3, sparsityCoef: 0.5 };
  const expected = referenceStep(stateOf(backend, options), Float64Array.from(x), hyper);
  const actual = await backend.step(1e-3, 0.5, () => Promise.resolve());
  assert.equal(state[1], 1);
  assert.ok(Math.abs(actual.reconstructionLoss / expected.losses.reconstruction - 1) < 1e-5);
  assert.ok(difference(stateOf(backend, options).firstMoments.encoder, expected.state.firstMoments.encoder) < 1e-5);
  await backend.dispose();
});

test('AuxK takes no part where all rows err alike: the variance of the error is rounding then', async () => {
  const options: CpuOptions = { ...base, k: 2, deadAfterTokens: 1, batch: 1 };
  const backend = await CpuBackend.create(options);
  initialise(backend.weights, new Float32Array(options.width), true, 1);
  backend.constants = { scale: 1, variance };
  const random = new Random(1, 'one row');
  for (let step = 0; step < 8; step++) {
    backend.input.set(Float32Array.from({ length: options.width }, () => random.normal()));
    const { auxLoss, dead } = await backend.step(1e-3, 0, () => Promise.resolve());
    assert.ok(dead > 0);
    assert.equal(auxLoss, 0);
  }
  await backend.dispose();
});

test('a step that is interrupted between chunks has moved nothing', async () => {
  const options: CpuOptions = { ...base, latents: 4096, width: 16, batch: 4096, k: 8 };
  const backend = await CpuBackend.create(options);
  initialise(backend.weights, new Float32Array(options.width), true, 1);
  backend.constants = { scale: 1, variance };
  const before = structuredClone(stateOf(backend, options));
  backend.input.fill(0.5);
  let chunks = 0;
  const interrupt = () => (++chunks === 2 ? Promise.reject(new Error('stop')) : Promise.resolve());
  await assert.rejects(backend.step(1e-3, 0, interrupt), /stop/);
  assert.deepEqual(stateOf(backend, options), before);
  await backend.dispose();
});
