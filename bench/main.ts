import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { version as onnxruntime } from 'onnxruntime-node/package.json';
import { auxK } from './aux-k.js';
import { endToEnd } from './end-to-end.js';
import { extraction } from './extraction.js';
import { table, type Part, type Row } from './part.js';
import { scaling } from './scaling.js';
import { startup } from './startup.js';
import { tensorflow } from './tfjs-step.js';
import { trainingMemory } from './training-memory.js';
import { trainingSteps } from './training-step.js';

/**
 * npm run bench: every speed as a ratio of things measured in turns in the same run on this machine. `--json` for one object,
 * `--only PART,…` and `--skip PART,…` for some of it, `--smoke` for tiny sizes, to see that it runs.
 */

const parts: Record<string, Part> = {
  step: trainingSteps,
  aux: auxK,
  scaling,
  extraction,
  end_to_end: endToEnd,
  memory: trainingMemory,
  startup,
  tensorflow,
};

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(parts).join(',') },
    skip: { type: 'string', default: '' },
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

/** The parts in a list such as step,memory. */
function named(list: string): string[] {
  const names = list.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !Object.hasOwn(parts, name));
  if (unknown === undefined) return names;
  say(`There is no part "${unknown}": ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}

async function main(): Promise<void> {
  const [only, skip] = [named(options.only), named(options.skip)];
  const threads = availableParallelism();
  const scale = { smoke: options.smoke, threads };
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown CPU',
    threads,
    node: process.versions.node,
    onnxruntime,
  };
  say(`${machine.cpu}, ${threads} threads, Node ${machine.node}, ONNX Runtime ${onnxruntime}`);
  const data: Record<string, unknown> = { machine, smoke: scale.smoke };
  const rows: Row[] = [];
  for (const name of only.filter((part) => !skip.includes(part))) {
    const part = parts[name]!;
    say(`${part.title} …`);
    const start = performance.now();
    const result = await part.run(scale);
    say(`  ${((performance.now() - start) / 1000).toFixed(0)} s`);
    data[name] = result.data;
    rows.push(...result.rows);
  }
  process.stdout.write(options.json ? `${JSON.stringify(data)}\n` : `${table(rows)}\n`);
}

void main();
