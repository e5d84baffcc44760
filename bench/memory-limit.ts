import { ratio, type Row } from './part.js';
import { spread } from './statistics.js';

/** What decides how much memory an engine may take. */
export interface Needs {
  width: number;
  latents: number;
  /** Rows of the shuffle buffer. */
  bufferRows: number;
  /** Bytes of the language model; 0 where none is loaded. */
  model: number;
}

/** 250 MB + 1.6 × (parameters and moments) + the shuffle buffer + the model, in bytes. */
export function memoryLimit({ width, latents, bufferRows, model }: Needs): number {
  const parametersAndMoments = 3 * 4 * (2 * width * latents + width + latents);
  return 250e6 + 1.6 * parametersAndMoments + 4 * width * bufferRows + model;
}

export function memoryRow(peak: number, needs: Needs, at: string): Row {
  const limit = memoryLimit(needs);
  return {
    what: "engine's peak memory / the limit for its configuration",
    measured: ratio(spread([peak / limit])).replace(/ .*/, ''),
    limit: '1',
    at: `${at}: ${(peak / 1e6).toFixed(0)} of ${(limit / 1e6).toFixed(0)} MB`,
  };
}
