import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { table, type Row } from '../part.js';
import { programs } from './contestant.js';
import { measureQuality, qualityRows } from './quality.js';
import { peersPython, SetupProblem } from './setup.js';
import { measureSpeed, speedRows } from './speed.js';

/**
 * npm run bench:peers: the training steps of the workbench and of the newest releases of SAELens, dictionary_learning and
 * sparsify, on the same data and cores: their speed in turns, and explained variance after the same tokens. The libraries run
 * their own training loops with their own recommended settings, all in float32.
 */
const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    tokens: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    seed: { type: 'string', default: '0' },
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<void> {
  const { smoke, only } = options;
  const threads = availableParallelism();
  const all = programs(peersPython());
  const machine = { cpu: cpus()[0]?.model ?? 'unknown CPU', threads, node: process.versions.node };
  say(`${machine.cpu}, ${threads} threads, Node ${machine.node}`);
  const data: Record<string, unknown> = { machine };
  const rows: Row[] = [];
  if (only !== 'quality') {
    const shapes = smoke
      ? [{ width: 32, latents: 512, k: 8, batch: 256, threads }]
      : [
          { width: 768, latents: 16384, k: 32, batch: 4096, threads },
          { width: 256, latents: 4096, k: 32, batch: 2048, threads },
        ];
    const results = [];
    for (const shape of shapes) {
      say(`Training steps in turns, d = ${shape.width} …`);
      const result = await measureSpeed(all, shape, smoke ? 2 : Number(options.rounds));
      results.push(result);
      rows.push(...speedRows(result));
    }
    data.speed = results;
  }
  if (only !== 'speed') {
    say('Explained variance after the same tokens …');
    const size = smoke ? { latents: 512, k: 8, batch: 256 } : { latents: 4096, k: 32, batch: 2048 };
    const quality = await measureQuality(
      // both ways of SAELens learn the same
      all.filter(({ name }) => name !== 'SAELens, sparse'),
      {
        ...size,
        tokens: Number(options.tokens ?? (smoke ? 10 * size.batch : 1_800_000)),
        threads,
        seed: Number(options.seed),
        ...(smoke ? { maxSamples: 30 } : {}),
      },
      say,
    );
    data.quality = quality;
    rows.push(...qualityRows(quality));
  }
  process.stdout.write(options.json ? `${JSON.stringify(data)}\n` : `${table(rows)}\n`);
}

main().catch((error: unknown) => {
  if (!(error instanceof SetupProblem)) throw error;
  say(error.message);
  process.exitCode = 1;
});
