import { availableParallelism, cpus } from 'node:os';
import { version as onnxruntime } from 'onnxruntime-node/package.json';
import { measureExtraction } from './extraction.js';
import { measureTfjsStep } from './tfjs-step.js';
import { measureMemory } from './training-memory.js';
import { measureStep, type StepShape } from './training-step.js';

/** npm run bench: every speed as a ratio of two things measured in the same run on this machine. `--json` for one object. */

const threads = availableParallelism();
const shape: StepShape = { width: 768, latents: 16384, k: 32, batch: 4096, threads };
const demo: StepShape = { width: 256, latents: 4096, k: 32, batch: 2048, threads };
const tfjsBatch = 512;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<void> {
  say(
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${threads} threads, Node ${process.versions.node}, ONNX Runtime ${onnxruntime}`,
  );
  say('Training steps and the encoder alone, alternately …');
  const step = await measureStep(shape);
  const small = await measureStep(demo);
  say('Extraction and a bare ONNX Runtime loop, alternately …');
  const extraction = await measureExtraction();
  say('Peak memory of the engine …');
  const peak = await measureMemory(shape);
  say('The same step in TensorFlow.js (WASM SIMD); one step takes most of a minute …');
  const tfjs = await measureTfjsStep({ ...shape, batch: tfjsBatch }, 1);
  const speedup = tfjs / tfjsBatch / (step.step / shape.batch);
  const result = {
    step_over_encoder: step.ratio,
    speedup_over_tfjs: speedup,
    extraction_efficiency: extraction.efficiency,
    tokens_per_second: (1000 * shape.batch) / step.step,
    peak_rss_bytes: peak,
    shapes: { step: shape, demo, tfjs: { ...shape, batch: tfjsBatch } },
    step_ms: step.step,
    encoder_ms: step.encoder,
    encoder_chunk: step.chunk,
    aux_k_ms: step.auxK,
    aux_k_dead: step.auxDead,
    demo_step_over_encoder: small.ratio,
    demo_tokens_per_second: (1000 * demo.batch) / small.step,
    tfjs_step_ms: tfjs,
    extraction,
  };
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  const ratio = ({ ratio: middle, ratios: [least, most] }: typeof step) =>
    `${middle.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
  const named = ({ width, latents, k, batch }: StepShape) => `d=${width} n=${latents} k=${k} B=${batch}`;
  const gigaflops = (times: typeof step, { width, latents, batch }: StepShape) =>
    `${((2 * batch * width * latents) / times.encoder / 1e6).toFixed(0)} GFLOP/s`;
  const rows = [
    ['training step / encoder’s Gemm+TopK alone', `${ratio(step)}  (limit 1)`, named(shape)],
    ['', ratio(small), named(demo)],
    [
      '  step, encoder alone',
      `${ms(step.step)}, ${ms(step.encoder)} in chunks of ${step.chunk}, ${gigaflops(step, shape)}`,
      named(shape),
    ],
    ['  AuxK on top of a step', `${ms(step.auxK)} with ${step.auxDead} latents dead`, named(shape)],
    [
      'tokens/s of training',
      `${result.tokens_per_second.toFixed(0)}, ${result.demo_tokens_per_second.toFixed(0)}`,
      `${named(shape)}, ${named(demo)}`,
    ],
    ['per row, times faster than TensorFlow.js', speedup.toFixed(0), `its batch ${tfjsBatch}: ${ms(tfjs)} a step`],
    [
      'extraction / bare ONNX Runtime loop',
      extraction.efficiency.toFixed(3),
      `${extraction.tokensPerSecond.toFixed(0)} tokens/s, ${extraction.hook}`,
    ],
    ['peak memory of the engine', `${(peak / 1e6).toFixed(0)} MB`, 'no language model, buffer of 131072 rows'],
  ];
  for (const [name = '', value = '', about = ''] of rows) {
    process.stdout.write(`${name.padEnd(46)}${value.padEnd(56)}${about}\n`);
  }
}

void main();
