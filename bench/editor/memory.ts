import { residentBytes } from '../../test/editor/processes.js';
import { resumableRun, writeConfig } from '../../test/editor/training.js';
import type { Bench } from './bench.js';

const tenths = 10;
const longestMs = 30 * 60_000;

/** What the extension host holds at the start of a flood of messages and after each tenth of them, with its panel open. */
export async function measureMemory({ host, open, folder }: Bench): Promise<{ residentBytes: number[] }> {
  const file = writeConfig(folder, resumableRun, 'flood');
  const window = await open();
  await window.openFile(file);
  await window.run('Train SAE from This File');
  const card = window.card('flood');
  await card.field('step').waitFor({ timeout: longestMs });
  const extensionHost = host.processes('--type=extensionHost').at(-1)!;
  const measured = [residentBytes(extensionHost)];
  for (let tenth = 1; tenth <= tenths; tenth++) {
    // The card shows 99.9 % until a run has written its results, which this one never does.
    const done = tenth === tenths ? /^99\.9 %$/ : new RegExp(`^${tenth}\\d\\.\\d %$`);
    await card.field('progress').filter({ hasText: done }).waitFor({ timeout: longestMs });
    measured.push(residentBytes(extensionHost));
  }
  return { residentBytes: measured };
}
