import { inFolder } from '../demo.js';
import { milliseconds, ratio, type Row } from '../part.js';
import { named, type StepShape } from '../shapes.js';
import { ratioSpread, spread, type Spread } from '../statistics.js';
import { Contestant, type Program } from './contestant.js';
import { structuredData } from './data.js';
import type { Ended } from './protocol.js';

/** Steps of the training that schedules believe they are in: far more than are measured. */
const nominalSteps = 10_000;
const batches = 4;
const warmUp = 3;

interface PeerSpeed {
  name: string;
  /** Milliseconds of its step, and of ours just before. */
  step: Spread;
  ours: Spread;
  /** Its step over ours, of neighbouring measurements. */
  ratio: Spread;
}

export interface SpeedResult {
  shape: StepShape;
  peers: PeerSpeed[];
  about: Record<string, Ended & { version: string; settings: string }>;
}

/** The first program's step before each step of each of the others: only one computes at a time. */
export function measureSpeed(all: readonly Program[], shape: StepShape, rounds: number): Promise<SpeedResult> {
  return inFolder(async (dir) => {
    const data = await structuredData(dir, shape, batches);
    const task = { ...data, ...shape, steps: nominalSteps, normalization_rows: batches * shape.batch, seed: 0 };
    const contestants: Contestant[] = [];
    try {
      for (const program of all) contestants.push(await Contestant.start(program, task));
      const [ours, ...peers] = contestants as [Contestant, ...Contestant[]];
      const times = peers.map(() => ({ own: [] as number[], ours: [] as number[] }));
      for (let round = -warmUp; round < rounds; round++) {
        for (const [i, peer] of peers.entries()) {
          const before = await ours.stepInTurn();
          const ms = await peer.stepInTurn();
          if (round < 0) continue;
          times[i]!.ours.push(before);
          times[i]!.own.push(ms);
        }
      }
      const about: SpeedResult['about'] = {};
      for (const contestant of contestants) {
        const { version, settings } = contestant.about;
        about[contestant.name] = { version, settings, ...(await contestant.end()) };
      }
      return {
        shape,
        about,
        peers: peers.map(({ name }, i) => ({
          name,
          step: spread(times[i]!.own),
          ours: spread(times[i]!.ours),
          ratio: ratioSpread(times[i]!.own, times[i]!.ours),
        })),
      };
    } finally {
      for (const contestant of contestants) contestant.kill();
    }
  });
}

export function speedRows({ shape, peers, about }: SpeedResult): Row[] {
  const memory = (name: string) => `${(about[name]!.peak_rss_bytes / 1e9).toFixed(1)} GB`;
  const rows = peers.map(({ name, step, ours, ratio: overOurs }) => ({
    what: `step of ${name} ${about[name]!.version} / ours`,
    measured: ratio(overOurs),
    at: `${named(shape)}: ${milliseconds(step)}, ours ${milliseconds(ours)}; at most ${memory(name)} of memory`,
  }));
  const note = about.workbench?.note;
  if (note !== undefined) rows.push({ what: '  ours', measured: note, at: `at most ${memory('workbench')} of memory` });
  return rows;
}
