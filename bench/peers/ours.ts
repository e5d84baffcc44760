import { openSync, readFileSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { version } from '../../package.json';
import { ReconstructionMetrics } from '../../src/engine/evaluation/metrics.js';
import { peakRssBytes } from '../../src/engine/peak-memory.js';
import { SaeInference } from '../../src/engine/sae/infer.js';
import { unscale } from '../../src/engine/sae/weights.js';
import { CpuBackend } from '../../src/engine/training/backends/cpu/cpu.js';
import { cpuOptions } from '../../src/engine/training/backends/cpu/options.js';
import { initialise } from '../../src/engine/training/initialise.js';
import { normalise } from '../../src/engine/training/normalisation.js';
import { learningRate } from '../../src/engine/training/schedule.js';
import { resolveConfig, type ResolvedConfig } from '../../src/shared/config.js';
import { time } from '../statistics.js';
import type { ContestantTask, Ended, Evaluated, Ready, Stepped } from './protocol.js';

/** The workbench as a contestant: its backend with the defaults of a run. */
class Ours {
  readonly #task: ContestantTask;
  readonly #config: ResolvedConfig;
  readonly #backend: CpuBackend;
  readonly #rows: number;
  readonly #order: Uint32Array;
  readonly #batch: Float32Array;
  #step = 0;

  private constructor(task: ContestantTask, config: ResolvedConfig, backend: CpuBackend) {
    this.#task = task;
    this.#config = config;
    this.#backend = backend;
    this.#rows = openSync(task.rows, 'r');
    this.#order = new Uint32Array(contents(task.order));
    this.#batch = new Float32Array(task.batch * task.width);
  }

  static async create(task: ContestantTask): Promise<Ours> {
    const { width, latents, k, batch, steps, seed, threads } = task;
    const asked = { latent_dim: latents, k, batch_size: batch, max_epochs: 1, seed };
    const config = resolveConfig(asked, width, steps * batch);
    const backend = await CpuBackend.create(cpuOptions(config, width, threads));
    const ours = new Ours(task, config, backend);
    const first = new Float32Array(Math.min(task.normalization_rows, ours.#order.length) * width);
    ours.#read(0, first);
    const { scale, variance, center } = await normalise(first, first.length / width, width, () => Promise.resolve());
    backend.constants = { scale, variance };
    initialise(backend.weights, center, config.tied_init, seed);
    return ours;
  }

  get ready(): Ready {
    const { learning_rate, lr_warmup_steps, adam_beta1, adam_beta2, aux_coef, dead_after_tokens } = this.#config;
    const settings =
      `lr ${learning_rate.toPrecision(3)}, ${lr_warmup_steps} steps of warm-up, to 0 over the last 20 %; ` +
      `Adam ${adam_beta1}/${adam_beta2}; mean square norm d; auxk ${aux_coef} after ${dead_after_tokens} tokens; ` +
      `preselection ${this.#config.preselection}`;
    return { ready: true, version, settings };
  }

  async step(): Promise<Stepped> {
    const { batch, steps } = this.#task;
    this.#read((this.#step * batch) % this.#order.length, this.#batch);
    const rate = learningRate(this.#config, this.#step++, steps);
    const ms = await time(() => {
      this.#backend.input.set(this.#batch);
      return this.#backend.step(rate, 0, () => Promise.resolve());
    });
    return { ms };
  }

  async evaluate(): Promise<Evaluated> {
    const { width, latents, threads } = this.#task;
    const { encoder, decoder, ...rest } = unscale(this.#backend.weights, this.#backend.constants.scale);
    const weights = { ...rest, encoder: new Float32Array(encoder), decoder: new Float32Array(decoder) };
    const inference = await SaeInference.create(weights, threads);
    const x = new Float32Array(contents(this.#task.held_out));
    const metrics = new ReconstructionMetrics(width, latents);
    const most = inference.maxRows * width;
    for (let from = 0; from < x.length; from += most) {
      const rows = x.subarray(from, from + most);
      metrics.add(rows, rows.length / width, await inference.run(rows, rows.length / width));
    }
    await inference.dispose();
    const { explained_variance, l0 } = metrics.result();
    return { explained_variance: explained_variance!, l0: l0! };
  }

  async end(): Promise<Ended> {
    const { recall } = this.#backend;
    await this.#backend.dispose();
    const note = recall === null ? {} : { note: `recall of int8 candidates ${(100 * recall).toFixed(3)} %` };
    return { peak_rss_bytes: peakRssBytes(), ...note };
  }

  /** Fills `out` with the rows of the order from `first` on. */
  #read(first: number, out: Float32Array): void {
    const { width } = this.#task;
    for (let i = 0; i * width < out.length; i++) {
      const row = out.subarray(i * width, (i + 1) * width);
      const got = readSync(this.#rows, row, 0, row.byteLength, this.#order[first + i]! * row.byteLength);
      if (got !== row.byteLength) throw new Error(`${this.#task.rows} has no row ${this.#order[first + i]!}`);
    }
  }
}

function contents(file: string): ArrayBuffer {
  const bytes = readFileSync(file);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

async function main(): Promise<void> {
  const answer = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
  let ours: Ours | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    if (!ours) {
      ours = await Ours.create(JSON.parse(line) as ContestantTask);
      answer(ours.ready);
    } else if (line === 'step') answer(await ours.step());
    else if (line === 'evaluate') answer(await ours.evaluate());
    else {
      answer(await ours.end());
      break;
    }
  }
  process.stdin.destroy();
}

void main();
