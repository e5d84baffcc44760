import type { Preselection } from '../src/shared/config.js';

/** The sizes of a training step: d, n, k and B, and the threads that share it. */
export interface StepShape {
  width: number;
  latents: number;
  k: number;
  batch: number;
  threads: number;
}

export interface MeasuredShape extends StepShape {
  rounds: number;
  /** Ways of finding a row's k latents that are measured. */
  preselections: readonly Preselection[];
}

/** The shape that everything but the list of steps is measured at. */
export function mainShape(smoke: boolean, threads: number): StepShape {
  return smoke
    ? { width: 64, latents: 1024, k: 8, batch: 256, threads }
    : { width: 768, latents: 16384, k: 32, batch: 4096, threads };
}

/** The steps that are measured. Where one takes long, fewer rounds do. */
export function measuredShapes(smoke: boolean, threads: number): MeasuredShape[] {
  const main = mainShape(smoke, threads);
  const step = (width: number, latents: number, k: number, rounds: number): MeasuredShape => ({
    ...{ width, latents, k, rounds, batch: main.batch, threads },
    preselections: width === main.width && latents === main.latents ? ['int8', 'none'] : ['int8'],
  });
  return smoke
    ? [step(32, 1024, 8, 2), step(64, 1024, 8, 2)]
    : [
        step(256, 4096, 32, 15),
        step(512, 4096, 40, 15),
        step(768, 16384, 32, 9),
        step(768, 24576, 32, 7),
        step(2048, 16384, 64, 5),
      ];
}

export function named({ width, latents, k, batch }: StepShape): string {
  return `d=${width} n=${latents} k=${k} B=${batch}`;
}
