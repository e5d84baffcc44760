import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../../src/engine/random.js';
import {
  copyParameters,
  emptyParameters,
  forward,
  globalNorm,
  gradients,
  initialState,
  normaliseRows,
  parameterNames,
  project,
  referenceStep,
  select,
  type Hyper,
  type Parameters,
  type ReferenceState,
  type Selection,
} from './reference.js';
import { repeats } from '../../soak.js';

const width = 8;
const latents = 24;
const rows = 12;

const hyper: Hyper = {
  architecture: 'topk',
  k: 3,
  sparsityCoef: 0.7,
  auxCoef: 1 / 32,
  deadAfterTokens: 100,
  variance: 6.5,
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  clipNorm: 1,
};
const standard: Hyper = { ...hyper, architecture: 'standard' };

function example(seed: number): { state: ReferenceState; x: Float64Array } {
  const random = new Random(seed, 'reference');
  const parameters = emptyParameters({ width, latents });
  for (const name of parameterNames) {
    const scale = name === 'decoder' || name === 'encoder' ? 1 : 0.3;
    parameters[name].forEach((_, i) => (parameters[name][i] = scale * random.normal()));
  }
  normaliseRows({ width, latents }, parameters.decoder);
  const state = initialState(width, latents, parameters);
  // A third of the latents have been silent for long: those that stay so in this batch are dead after it.
  for (let i = 0; i < latents; i += 3) state.sinceFired[i] = 95;
  return { state, x: Float64Array.from({ length: rows * width }, () => random.normal()) };
}

function numericalGradients(state: ReferenceState, x: Float64Array, selection: Selection, how: Hyper): Parameters {
  const out = emptyParameters(state);
  const step = 1e-5;
  for (const name of parameterNames) {
    out[name].forEach((_, i) => {
      const loss = (shift: number) => {
        const moved = copyParameters(state.parameters);
        moved[name][i]! += shift;
        return forward(state, moved, x, selection, how).losses.total;
      };
      out[name][i] = (loss(step) - loss(-step)) / (2 * step);
    });
  }
  return out;
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, relative: number, what: string): void {
  assert.equal(actual.length, expected.length);
  const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    assert.ok(error <= relative * largest + 1e-12, `${what}[${i}] is ${actual[i]!}, expected ${expected[i]!}`);
  }
}

/** The losses once more in TensorFlow.js, from the formulas, with the selection as constant masks. */
function automaticGradients(state: ReferenceState, x: Float64Array, selection: Selection, how: Hyper) {
  const matrix = (values: ArrayLike<number>, columns: number) =>
    tf.tensor2d(Float32Array.from(values), [values.length / columns, columns]);
  const { encoder, decoder, encoderBias, decoderBias } = state.parameters;
  const [active, aux] = [matrix(selection.active, latents), matrix(selection.aux, latents)];
  const error = matrix(selection.error, width);
  const input = matrix(x, width);
  const loss = (we: tf.Tensor2D, wd: tf.Tensor2D, be: tf.Tensor1D, bd: tf.Tensor1D): tf.Scalar => {
    const h = tf.add(tf.matMul(tf.sub(input, bd), we, false, true), be);
    const z = tf.mul(h, active);
    const reconstruction = tf.add(tf.matMul(z, wd), bd);
    const meanSquare = (difference: tf.Tensor) => tf.div(tf.sum(tf.square(difference)), rows);
    const l1 = how.architecture === 'standard' ? how.sparsityCoef / rows : 0;
    const auxLoss = meanSquare(tf.sub(tf.matMul(tf.mul(h, aux), wd), error));
    const total = tf.addN([
      meanSquare(tf.sub(reconstruction, input)),
      tf.mul(tf.sum(z), l1),
      tf.mul(auxLoss, selection.auxWeight),
    ]);
    return total as tf.Scalar;
  };
  const [we, wd, be, bd] = tf.grads(loss as (...tensors: tf.Tensor[]) => tf.Scalar)([
    matrix(encoder, width),
    matrix(decoder, width),
    tf.tensor1d(Float32Array.from(encoderBias)),
    tf.tensor1d(Float32Array.from(decoderBias)),
  ]);
  return { encoder: we!.dataSync(), decoder: wd!.dataSync(), encoderBias: be!.dataSync(), decoderBias: bd!.dataSync() };
}

describe('the float64 reference', () => {
  for (const how of [hyper, standard]) {
    it(`has gradients of ${how.architecture} that agree with finite differences`, () => {
      for (let seed = 0; seed < repeats(3, 100); seed++) {
        const { state, x } = example(seed);
        const selection = select(state, x, how);
        const exact = gradients(state, state.parameters, x, selection, how);
        const numerical = numericalGradients(state, x, selection, how);
        for (const name of parameterNames) assertClose(exact[name], numerical[name], 1e-7, name);
      }
    });

    it(`has gradients of ${how.architecture} that agree with TensorFlow.js`, () => {
      const { state, x } = example(7);
      const selection = select(state, x, how);
      const exact = gradients(state, state.parameters, x, selection, how);
      const automatic = tf.tidy(() => automaticGradients(state, x, selection, how));
      for (const name of parameterNames) assertClose(automatic[name], exact[name], 1e-5, name);
    });
  }

  it('sends AuxK into the dead latents’ encoder and, through the pre-bias, into the decoder bias', () => {
    const { state, x } = example(1);
    const selection = select(state, x, hyper);
    assert.ok(selection.dead.length > 0 && selection.aux.includes(1));
    const withAux = gradients(state, state.parameters, x, selection, hyper);
    const without = gradients(state, state.parameters, x, { ...selection, auxWeight: 0 }, hyper);
    const revived = selection.dead.filter((i) => withAux.encoderBias[i] !== 0);
    assert.ok(revived.length > 0);
    for (let i = 0; i < latents; i++) {
      const changed = withAux.encoderBias[i] !== without.encoderBias[i];
      assert.equal(changed, revived.includes(i), `latent ${i}`);
    }
    assert.notDeepEqual(withAux.decoderBias, without.decoderBias);
  });

  it('keeps of the k largest pre-activations the positive ones, of equal ones the first', () => {
    const parameters = emptyParameters({ width: 1, latents: 4 });
    parameters.decoder.fill(1);
    parameters.encoderBias.set([-1, 2, 2, 2]);
    const state = initialState(1, 4, parameters);
    const of = (k: number) => Array.from(select(state, Float64Array.of(0), { ...hyper, k }).active);
    assert.deepEqual(of(2), [0, 1, 1, 0]);
    assert.deepEqual(of(4), [0, 1, 1, 1]);
  });

  it('counts a latent dead from the batch on that completes dead_after_tokens of silence, and alive when it fires', () => {
    const { state, x } = example(2);
    const limit = { ...hyper, deadAfterTokens: 3 * rows };
    let current: ReferenceState = { ...state, sinceFired: new Float64Array(latents) };
    const silent = new Set(Array.from({ length: latents }, (_, i) => i));
    for (let step = 1; step <= 3; step++) {
      const result = referenceStep(current, x, { ...limit, learningRate: 0 });
      result.selection.active.forEach((on, at) => on && silent.delete(at % latents));
      assert.deepEqual(result.selection.dead, step < 3 ? [] : [...silent]);
      current = result.state;
    }
    assert.ok(silent.size > 0);
  });

  it('weights AuxK by the dead, up to half the width, and by V over the variance of the error', () => {
    const { state, x } = example(3);
    const { dead, auxWeight, error } = select(state, x, hyper);
    let variance = 0;
    for (let j = 0; j < width; j++) {
      const column = Array.from({ length: rows }, (_, b) => error[b * width + j]!);
      const mean = column.reduce((sum, value) => sum + value, 0) / rows;
      variance += column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows;
    }
    const expected = (1 / 32) * Math.min(dead.length / (width / 2), 1) * (hyper.variance / variance);
    assert.ok(Math.abs(auxWeight - expected) < 1e-12 * expected);
  });

  it('projects decoder gradients off the decoder directions', () => {
    const { state, x } = example(4);
    const raw = gradients(state, state.parameters, x, select(state, x, hyper), hyper);
    const projected = project(state, state.parameters.decoder, raw.decoder);
    for (let i = 0; i < latents; i++) {
      let along = 0;
      for (let j = 0; j < width; j++) along += projected[i * width + j]! * state.parameters.decoder[i * width + j]!;
      assert.ok(Math.abs(along) < 1e-12);
    }
  });

  it('clips all gradients together and leaves decoder rows of unit norm', () => {
    const { state, x } = example(5);
    const { applied, gradientNorm, state: next } = referenceStep(state, x, { ...hyper, clipNorm: 0.25 });
    assert.ok(gradientNorm > 0.25);
    assert.ok(Math.abs(globalNorm(applied) - 0.25) < 1e-5);
    for (let i = 0; i < latents; i++) {
      assert.ok(Math.abs(Math.hypot(...next.parameters.decoder.subarray(i * width, (i + 1) * width)) - 1) < 1e-12);
    }
  });

  it('takes Adam steps that equal the form with the bias corrections folded into the rate and epsilon', () => {
    let { state } = example(6);
    const { x } = example(6);
    for (let t = 1; t <= 3; t++) {
      const before = state;
      const result = referenceStep(before, x, hyper);
      const rate = (hyper.learningRate * Math.sqrt(1 - hyper.beta2 ** t)) / (1 - hyper.beta1 ** t);
      const epsilon = hyper.epsilon * Math.sqrt(1 - hyper.beta2 ** t);
      const { firstMoments, secondMoments, parameters } = result.state;
      const folded = before.parameters.encoder.map(
        (value, i) => value - (rate * firstMoments.encoder[i]!) / (Math.sqrt(secondMoments.encoder[i]!) + epsilon),
      );
      assertClose(parameters.encoder, folded, 1e-12, 'encoder');
      state = result.state;
    }
    assert.equal(state.step, 3);
  });

  it('lowers the loss of the batch it steps on', () => {
    for (const how of [hyper, standard]) {
      let { state } = example(8);
      const { x } = example(8);
      const first = referenceStep(state, x, how).losses.total;
      for (let step = 0; step < 50; step++) state = referenceStep(state, x, how).state;
      assert.ok(referenceStep(state, x, how).losses.total < 0.7 * first);
    }
  });
});
