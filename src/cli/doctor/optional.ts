import { createRequire } from 'node:module';
import type { Finding } from './check.js';

/** Packages that are used only where somebody has installed them. */
const parts = [
  { name: 'bufferutil', package: 'bufferutil', without: 'WebSockets do without' },
  { name: 'TensorFlow.js native binding', package: '@tensorflow/tfjs-node', without: 'nothing uses it' },
] as const;

/** Where this program would load a package, or a file of it, from; undefined where it is not installed. */
export function installed(name: string): string | undefined {
  try {
    return createRequire(__filename).resolve(name);
  } catch {
    return undefined;
  }
}

export function optionalParts(): Finding {
  return parts
    .map(
      ({ name, package: id, without }) =>
        `${name}: ${installed(`${id}/package.json`) === undefined ? `missing, ${without}` : 'installed'}`,
    )
    .join('; ');
}
