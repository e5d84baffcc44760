import { statSync } from 'node:fs';
import path from 'node:path';
import { readProfile } from '../src/run/records.js';
import type { SaeConfig } from '../src/shared/config.js';
import type { Phase } from '../src/shared/events.js';
import type { Profile } from '../src/shared/profile.js';
import { runTask } from '../src/workbench/engine-process.js';
import { Alone } from './alone.js';
import { enginePath, inFolder, withDemo } from './demo.js';
import { memoryLimit, memoryRow } from './memory-limit.js';
import { ratio, type Part } from './part.js';
import { spread } from './statistics.js';

interface WholeRun {
  /** Training tokens. */
  tokens: number;
  /** Seconds from the start of the engine's process to the end of training. */
  seconds: number;
  /** Of these, seconds of each phase; `starting` is the process itself. */
  phases: Partial<Record<Phase | 'starting', number>>;
  peakRssBytes: number;
  profile: Profile | null;
}

/** The engine's program, from text to a trained SAE in one epoch. */
function wholeRun(config: SaeConfig): Promise<WholeRun> {
  return inFolder(async (dir) => {
    const runDir = path.join(dir, 'run');
    const phases: WholeRun['phases'] = {};
    let phase: Phase | 'starting' = 'starting';
    let since = performance.now();
    const start = since;
    let end: number | undefined;
    let tokens = 0;
    const engine = runTask(
      { kind: 'train', config, runDir, resume: false },
      {
        progress: (progress) => {
          tokens = progress.tokens;
          if (progress.phase === phase || end !== undefined) return;
          const now = performance.now();
          phases[phase] = (phases[phase] ?? 0) + (now - since) / 1000;
          [phase, since] = [progress.phase, now];
          if (phase === 'evaluating') end = now;
        },
      },
      { enginePath },
    );
    const outcome = await engine.result;
    if (outcome.status !== 'completed' || end === undefined) throw new Error('the engine did not complete the run');
    const { peakRssBytes } = outcome.result;
    return { tokens, seconds: (end - start) / 1000, phases, peakRssBytes, profile: await readProfile(runDir) };
  });
}

const mean = (a: number, b: number) => (a + b) / 2;

/**
 * The engine's program against what extraction alone (E) and training alone (T) take one after the other for as many tokens,
 * measured before and after each run. In the run's time is all from the start of the engine's process to the end of the last
 * step and its checkpoint: loading the model, hashing, tokenising, the run's constants. Evaluation and features are not.
 */
export const endToEnd: Part = {
  title: 'Text in, SAE out: the engine’s program, and extraction and training alone, in turns',
  run({ smoke, threads }) {
    const runs = smoke ? 1 : 2;
    const config: SaeConfig = {
      model: 'bundled:demo-gpt2',
      layer_idx: 2,
      text: ['bundled:sample'],
      ...(smoke
        ? { max_samples: 100, latent_dim: 1024, k: 8, batch_size: 512 }
        : { latent_dim: 4096, k: 32, batch_size: 4096 }),
      max_epochs: 1,
      activation_cache: 'none',
      evaluation_tokens: 4096,
      cross_entropy_tokens: 0,
      feature_tokens: 0,
      threads,
    };
    return withDemo(config, threads, async (demo) => {
      const alone = await Alone.open(config, demo, threads, { parts: runs + 1 });
      const rates = [await alone.measure()];
      const whole: WholeRun[] = [];
      for (let i = 0; i < runs; i++) {
        whole.push(await wholeRun(config));
        rates.push(await alone.measure());
      }
      await alone.dispose();
      const efficiencies = whole.map(({ tokens, seconds, phases }, i) => {
        const [before, after] = [rates[i]!, rates[i + 1]!];
        const possible =
          tokens / mean(before.extraction, after.extraction) + tokens / mean(before.training, after.training);
        const { extracting = 0, training = 0 } = phases;
        return { all: possible / seconds, fromFirstActivation: possible / (extracting + training) };
      });
      const efficiency = spread(efficiencies.map(({ all }) => all));
      const later = spread(efficiencies.map(({ fromFirstActivation }) => fromFirstActivation));
      const E = spread(rates.map(({ extraction }) => extraction));
      const T = spread(rates.map(({ training }) => training));
      const perSecond = spread(whole.map(({ tokens, seconds }) => tokens / seconds));
      const peak = Math.max(...whole.map(({ peakRssBytes }) => peakRssBytes));
      const { width } = demo.opened.model;
      const rows = demo.contexts.trainRows;
      const needs = {
        width,
        latents: config.latent_dim!,
        bufferRows: Math.min(2 ** 17, rows),
        model: statSync(demo.opened.files.onnx).size,
      };
      const phases = Object.entries(whole.at(-1)!.phases).map(([name, seconds]) => `${name} ${seconds.toFixed(1)} s`);
      return {
        data: {
          config,
          extraction_tokens_per_second: E,
          training_tokens_per_second: T,
          tokens_per_second: perSecond,
          efficiency,
          efficiency_from_first_activation: later,
          runs: whole,
          peak_rss_bytes: peak,
          limit_bytes: memoryLimit(needs),
        },
        rows: [
          {
            what: 'text in, SAE out: tokens/s / (1 / (1/E + 1/T))',
            measured: ratio(efficiency),
            limit: '1 if nothing else is done and nothing overlaps',
            at: `${perSecond.median.toFixed(0)} tokens/s, E ${E.median.toFixed(0)}, T ${T.median.toFixed(0)}; ${whole[0]!.tokens} tokens`,
          },
          { what: '  from the first activation on', measured: ratio(later), limit: '1', at: phases.join(', ') },
          memoryRow(peak, needs, `the same run, with ${demo.opened.files.name}`),
        ],
      };
    });
  },
};
