import type { CpuBackend } from '../src/engine/training/backends/cpu/cpu.js';
import { activationsFor, converged, step } from './converged.js';
import { milliseconds, type Part } from './part.js';
import { mainShape, named } from './shapes.js';
import { inTurns, spread } from './statistics.js';

/** The same steps while many latents are dead, with AuxK and without, in turns. */
export const auxK: Part = {
  title: 'Steps while latents are dead, with AuxK and without, in turns',
  async run({ smoke, threads }) {
    const shape = mainShape(smoke, threads);
    const dead = Math.min(1000, shape.latents >> 2);
    const backends: CpuBackend[] = [];
    for (const auxCoef of [0, 1 / 32]) {
      const backend = await converged(shape, 'int8', { auxCoef, deadAfterTokens: 2 * shape.batch });
      backend.weights.encoderBias.fill(-1e3, shape.latents - dead);
      backends.push(backend);
    }
    const x = activationsFor(backends[0]!, shape);
    const rounds = smoke ? 2 : 5;
    const [without = [], including = []] = await inTurns(
      backends.map((backend) => () => step(backend, x)),
      { rounds, warmUp: 3 },
    );
    for (const backend of backends) await backend.dispose();
    const added = spread(including.map((ms, i) => ms - without[i]!));
    return {
      data: { shape, dead, added_ms: added, without_ms: spread(without), with_ms: spread(including) },
      rows: [
        {
          what: 'AuxK on top of a step',
          measured: milliseconds(added),
          limit: '0',
          at: `${named(shape)}: ${dead} or more latents dead`,
        },
      ],
    };
  },
};
