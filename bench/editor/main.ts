import { cpus } from 'node:os';
import { launchBrowser } from '../../test/browser.js';
import { resumableRun } from '../../test/editor/training.js';
import { enginePath } from '../../test/workbench/small-run.js';
import { measureActivation } from './activation.js';
import { inEditor } from './bench.js';
import { measureLatency } from './latency.js';
import { measureLongTasks } from './long-tasks.js';
import { measureMemory } from './memory.js';
import { record } from './recording.js';
import { StandIn } from './stand-in.js';

/**
 * npm run bench:editor: what the editor's promises are measured by, in a real VS Code, with streams recorded from a real
 * engine and nothing training beside it. `--json` for one object.
 */

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<void> {
  say(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} threads`);
  say('Recording what an engine sends …');
  const recording = await record(enginePath, resumableRun);
  const standIn = await StandIn.make();
  const browser = await launchBrowser();
  const { extensions } = standIn;
  try {
    say('Activation …');
    const activation = await inEditor(browser, { extensions }, measureActivation);
    say('Ten messages a second, for a minute …');
    standIn.replay({ recording, messages: 600, everyMs: 100 });
    const latency = await inEditor(browser, { extensions }, measureLatency);
    say('Ten runs at once, for half a minute …');
    standIn.replay({ recording, messages: 2000, everyMs: 100 });
    const settings = { 'interpretabilityWorkbench.jobs.concurrency': 10 };
    const longTasks = await inEditor(browser, { extensions, settings }, measureLongTasks);
    say('1,000,000 messages …');
    standIn.replay({ recording, messages: 1_000_000, everyMs: 0 });
    const memory = await inEditor(browser, { extensions }, measureMemory);
    print({ activation, latency, longTasks, memory });
  } finally {
    await browser.close();
    standIn.remove();
  }
}

interface Result {
  activation: Awaited<ReturnType<typeof measureActivation>>;
  latency: Awaited<ReturnType<typeof measureLatency>>;
  longTasks: Awaited<ReturnType<typeof measureLongTasks>>;
  memory: Awaited<ReturnType<typeof measureMemory>>;
}

function print(result: Result): void {
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const { activation, latency, longTasks, memory } = result;
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  const mega = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  const [first, last] = [memory.residentBytes[0], memory.residentBytes.at(-1)];
  const rows = [
    ['activate()', `${activation.map(({ call }) => ms(call)).join(', ')}  (limit 50 ms)`, 'by VS Code’s report'],
    ['  loading dist/extension.js before it', activation.map(({ load }) => ms(load)).join(', '), ''],
    [
      'send to frame, p50, p99',
      `${ms(latency.p50)}, ${ms(latency.p99)}  (limit 100 ms)`,
      `${latency.samples} messages`,
    ],
    ['longest task of the panel, 10 runs', `${ms(longTasks.longest)}  (limit 50 ms)`, `${longTasks.count} over 50 ms`],
    ['extension host, 1,000,000 messages', `${mega(first!)} before, ${mega(last!)} after`, 'resident memory'],
  ];
  for (const [name = '', value = '', about = ''] of rows) {
    process.stdout.write(`${name.padEnd(40)}${value.padEnd(50)}${about}\n`);
  }
}

void main();
