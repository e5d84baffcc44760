import { inFolder } from '../demo.js';
import type { Row } from '../part.js';
import { Contestant, type Program } from './contestant.js';
import { demoData } from './data.js';
import type { ContestantTask, Ended, Evaluated } from './protocol.js';

const points = 10;

export interface QualityOptions {
  tokens: number;
  latents: number;
  k: number;
  batch: number;
  threads: number;
  seed: number;
  /** Documents of the text that are used; all if undefined. */
  maxSamples?: number;
}

interface Curve {
  name: string;
  version: string;
  settings: string;
  /** After 0, 10, … 100 % of the steps. */
  points: ({ tokens: number } & Evaluated)[];
  /** Seconds of training steps alone. */
  seconds: number;
  end: Ended;
}

export interface QualityResult {
  options: QualityOptions;
  steps: number;
  curves: Curve[];
}

/** Everyone trains on the same rows in the same order, one after the other, and is evaluated on the same held-out rows. */
export function measureQuality(
  all: readonly Program[],
  options: QualityOptions,
  say: (line: string) => void,
): Promise<QualityResult> {
  const { tokens, latents, k, batch, threads, seed, maxSamples } = options;
  const steps = Math.floor(tokens / batch);
  return inFolder(async (dir) => {
    say('Activations of the demo model …');
    const data = await demoData(dir, { batch, steps, seed, maxSamples });
    const task = { ...data, latents, k, batch, steps, normalization_rows: 2 ** 17, threads, seed };
    const curves = [];
    for (const program of all) curves.push(await train(program, task, say));
    return { options, steps, curves };
  });
}

async function train(program: Program, task: ContestantTask, say: (line: string) => void): Promise<Curve> {
  const contestant = await Contestant.start(program, task);
  try {
    const { name, about } = contestant;
    const curve: Curve['points'] = [];
    let ms = 0;
    for (let step = 0, point = 0; point <= points; point++) {
      for (; step < Math.round((point * task.steps) / points); step++) ms += await contestant.step();
      curve.push({ tokens: step * task.batch, ...(await contestant.evaluate()) });
      say(`  ${name}: ${step} steps, explained variance ${curve.at(-1)!.explained_variance.toFixed(4)}`);
    }
    const end = await contestant.end();
    return { name, version: about.version, settings: about.settings, points: curve, seconds: ms / 1000, end };
  } finally {
    contestant.kill();
  }
}

/** A row for each point of the curves, one for the time and one for each contestant's settings. */
export function qualityRows({ curves }: QualityResult): Row[] {
  const pad = (text: string, i: number) => text.padStart(curves[i]!.name.length);
  const line = (of: (curve: Curve) => string) => curves.map((curve, i) => pad(of(curve), i)).join('  ');
  return [
    { what: 'explained variance on held-out rows', measured: line(({ name }) => name) },
    ...curves[0]!.points.map(({ tokens }, at) => ({
      what: `  after ${tokens} tokens`,
      measured: line((curve) => curve.points[at]!.explained_variance.toFixed(4)),
    })),
    { what: '  L0 at the end', measured: line((curve) => curve.points.at(-1)!.l0.toFixed(2)) },
    { what: '  seconds of training steps', measured: line((curve) => curve.seconds.toFixed(1)) },
    ...curves.map(({ name, version, settings }) => ({ what: `  ${name} ${version}`, measured: '', at: settings })),
  ];
}
