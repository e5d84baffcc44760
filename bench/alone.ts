import { ExtractingSource } from '../src/engine/activations/extracting-source.js';
import { CpuBackend } from '../src/engine/training/backends/cpu/cpu.js';
import { cpuOptions } from '../src/engine/training/backends/cpu/options.js';
import { initialise } from '../src/engine/training/initialise.js';
import { normalise } from '../src/engine/training/normalisation.js';
import { learningRate } from '../src/engine/training/schedule.js';
import { resolveConfig, totalSteps, type ResolvedConfig, type SaeConfig } from '../src/shared/config.js';
import type { OpenedDemo } from './demo.js';

/** Most rows that are extracted in one measurement, and that training alone then uses again and again. */
const mostRows = 2 ** 16;

/** Tokens a second. */
export interface Rates {
  extraction: number;
  training: number;
}

/**
 * The two halves of a run, each by itself on all cores: extraction of tokenised text into memory, and all of the run's steps
 * on rows in memory, by the run's own settings and schedule. Training is dealt into parts, one for each measurement.
 */
export class Alone {
  readonly #source: ExtractingSource;
  readonly #config: ResolvedConfig;
  readonly #backend: CpuBackend;
  readonly #steps: number;
  readonly #stepsPerPart: number;
  readonly #rows: Float32Array;
  #filled = 0;
  #step = 0;

  private constructor(source: ExtractingSource, config: ResolvedConfig, backend: CpuBackend, parts: number) {
    this.#source = source;
    this.#config = config;
    this.#backend = backend;
    this.#steps = totalSteps(config, source.rowsPerEpoch);
    this.#stepsPerPart = Math.max(1, Math.floor(this.#steps / parts));
    this.#rows = new Float32Array((mostRows + source.maxBlockRows) * source.width);
  }

  static async open(
    config: SaeConfig,
    { opened, contexts }: OpenedDemo,
    threads: number,
    { parts }: { parts: number },
  ): Promise<Alone> {
    const source = new ExtractingSource(opened.model, contexts, { seed: 0 });
    const resolved = resolveConfig(config, source.width, source.rowsPerEpoch);
    const backend = await CpuBackend.create(cpuOptions(resolved, source.width, threads));
    const alone = new Alone(source, resolved, backend, parts);
    await alone.#extract(); // warms up, and gives the rows that the constants are from
    const { scale, variance, center } = await normalise(alone.#rows, alone.#filled, source.width, () =>
      Promise.resolve(),
    );
    backend.constants = { scale, variance };
    initialise(backend.weights, center, resolved.tied_init, 0);
    return alone;
  }

  async measure(): Promise<Rates> {
    return { extraction: await this.#extract(), training: await this.#train() };
  }

  async #extract(): Promise<number> {
    const { width, blocksPerEpoch } = this.#source;
    this.#filled = 0;
    const start = performance.now();
    for (let block = 0; block < blocksPerEpoch && this.#filled < mostRows; block++) {
      const rows = await this.#source.readBlock(0, block);
      this.#rows.set(rows, this.#filled * width);
      this.#filled += rows.length / width;
    }
    return (1000 * this.#filled) / (performance.now() - start);
  }

  async #train(): Promise<number> {
    const { width } = this.#source;
    const { batch_size: batch } = this.#config;
    const batches = Math.floor(this.#filled / batch);
    const start = performance.now();
    for (let i = 0; i < this.#stepsPerPart; i++) {
      const first = (this.#step % batches) * batch * width;
      this.#backend.input.set(this.#rows.subarray(first, first + batch * width));
      await this.#backend.step(learningRate(this.#config, this.#step++, this.#steps), 0, () => Promise.resolve());
    }
    return (1000 * this.#stepsPerPart * batch) / (performance.now() - start);
  }

  async dispose(): Promise<void> {
    await this.#backend.dispose();
  }
}
