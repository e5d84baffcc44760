import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { Random } from '../src/engine/random.js';
import { activationsFor, converged, step as ownStep } from './converged.js';
import type { Part } from './part.js';
import { mainShape, named, type StepShape } from './shapes.js';
import { median, normals, time } from './statistics.js';

/**
 * The same training step in TensorFlow.js on its WASM SIMD backend: dense, automatic gradients with the TopK mask as a
 * constant (it has no gradient of TopK), projection, clipping, Adam, renormalisation. Returns milliseconds per step.
 */
async function measureTfjsStep(shape: StepShape, steps: number): Promise<number> {
  const folder = path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
  setWasmPaths(path.join(folder, path.sep));
  await tf.setBackend('wasm');
  await tf.ready();
  const { width: d, latents: n, k, batch } = shape;
  const random = new Random(1, 'bench');
  const unit = tf.tidy(() => {
    const rows = tf.tensor2d(
      normals(n * d, () => random.normal()),
      [n, d],
    );
    return tf.div<tf.Tensor2D>(rows, tf.norm(rows, 2, 1, true));
  });
  const parameters = {
    encoder: tf.variable(unit),
    decoder: tf.variable(unit.clone()),
    encoderBias: tf.variable(tf.zeros([n])),
    decoderBias: tf.variable(tf.zeros([d])),
  };
  const { encoder, decoder, encoderBias, decoderBias } = parameters;
  const optimizer = tf.train.adam(1e-4, 0.9, 0.999, 1e-8);
  const x = tf.tensor2d(
    normals(batch * d, () => random.normal()),
    [batch, d],
  );

  const step = () => {
    tf.tidy(() => {
      const hidden = () => tf.add(tf.matMul(tf.sub(x, decoderBias), encoder, false, true), encoderBias);
      const h = hidden();
      const threshold = tf.slice(tf.topk(h, k, true).values, [0, k - 1], [batch, 1]);
      const mask = tf.cast(tf.logicalAnd(tf.greaterEqual(h, threshold), tf.greater(h, 0)), 'float32');
      const { grads } = tf.variableGrads(() => {
        const z = tf.mul(hidden(), mask);
        const residual = tf.sub(tf.add(tf.matMul(z, decoder), decoderBias), x);
        return tf.div(tf.sum(tf.square(residual)), batch);
      }, Object.values(parameters));
      const raw = grads[decoder.name]!;
      grads[decoder.name] = tf.sub(raw, tf.mul(tf.sum(tf.mul(raw, decoder), 1, true), decoder));
      const norm = tf.sqrt(tf.addN(Object.values(grads).map((grad) => tf.sum(tf.square(grad)))));
      const clip = tf.minimum(1, tf.div(1, tf.add(norm, 1e-6)));
      optimizer.applyGradients(
        Object.fromEntries(Object.entries(grads).map(([name, grad]) => [name, tf.mul(grad, clip)])),
      );
      decoder.assign(tf.div(decoder, tf.norm(decoder, 2, 1, true)));
    });
    return encoder.data().then((values) => values[0]);
  };
  await step();
  const times = [];
  for (let i = 0; i < steps; i++) times.push(await time(step));
  tf.disposeVariables();
  return median(times);
}

/** Milliseconds of our own step, after others that warm up. */
async function measureOwnStep(shape: StepShape): Promise<number> {
  const backend = await converged(shape, 'int8');
  const x = activationsFor(backend, shape);
  const times = [];
  for (let i = 0; i < 6; i++) times.push(await ownStep(backend, x));
  await backend.dispose();
  return median(times.slice(2));
}

/** Per row, since a batch like ours is more than its memory takes. */
export const tensorflow: Part = {
  title: 'The same step in TensorFlow.js (WASM SIMD); one step takes most of a minute',
  async run({ smoke, threads }) {
    const shape = mainShape(smoke, threads);
    const theirShape = { ...shape, batch: smoke ? 64 : 512 };
    const ours = await measureOwnStep(shape);
    const theirs = await measureTfjsStep(theirShape, 1);
    const times = theirs / theirShape.batch / (ours / shape.batch);
    const at = `${named(shape)}; its batch of ${theirShape.batch} takes ${theirs.toFixed(0)} ms`;
    return {
      data: { shape, step_ms: ours, their_batch: theirShape.batch, their_step_ms: theirs, times_faster: times },
      rows: [{ what: 'TensorFlow.js step / training step, per row', measured: times.toFixed(0), at }],
    };
  },
};
