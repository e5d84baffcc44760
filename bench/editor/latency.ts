import { once } from 'node:events';
import { existsSync, readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { resumableRun, runFolder, writeConfig } from '../../test/editor/training.js';
import type { Bench } from './bench.js';
import { watchSteps } from './page.js';

export interface Latency {
  p50: number;
  p99: number;
  samples: number;
}

/**
 * From `send` in the engine to the animation frame after the card shows that message or a later one, over the messages sent
 * since the card is there; ms.
 */
export async function measureLatency({ open, folder }: Bench): Promise<Latency> {
  const file = writeConfig(folder, resumableRun, 'stream');
  const window = await open();
  await window.openFile(file);
  await window.run('Train SAE from This File');
  const card = window.card('stream');
  await card.field('step').waitFor();
  const shown = await watchSteps(card.field('step'));
  const sent = await sendTimes(runFolder(folder));
  await card
    .field('step')
    .getByText((sent.length - 1).toLocaleString('en-US'), { exact: true })
    .waitFor();
  const seen = await shown();
  const first = seen[0]!.step;
  const latencies = sent.slice(first).map((at, i) => seen.find(({ step }) => step >= first + i)!.at - at);
  latencies.sort((a, b) => a - b);
  const quantile = (part: number) => latencies[Math.min(latencies.length - 1, Math.floor(part * latencies.length))]!;
  return { p50: quantile(0.5), p99: quantile(0.99), samples: latencies.length };
}

/** When the engine sent each step, once it has sent them all; ms since 1970. */
export async function sendTimes(run: string): Promise<number[]> {
  const file = path.join(run, 'sent.json');
  const watcher = watch(run);
  while (!existsSync(file)) await once(watcher, 'change');
  watcher.close();
  return JSON.parse(readFileSync(file, 'utf8')) as number[];
}
