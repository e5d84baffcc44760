import { totalmem } from 'node:os';
import type { ResolvedConfig } from '../../shared/config.js';
import { inputError } from '../../shared/errors.js';
import { fitsInMemory, largestWasmMemory, memoryNeeded } from '../../shared/memory.js';
import { formatBytes } from '../activations/disk-space.js';

/**
 * Refuses a training that needs more than the machine's memory, or than `limitBytes` if that is less. `rowsPerEpoch` is 0 where it
 * is not known yet: then no shuffle buffer is counted, but what is said to fit does so with a full one.
 * @throws WorkbenchError `too_large` with the arithmetic and what would fit.
 */
export function checkMemory(config: ResolvedConfig, width: number, rowsPerEpoch: number, limitBytes = Infinity): void {
  const machine = totalmem();
  const available = Math.min(machine, limitBytes);
  const needed = memoryNeeded(config, width, rowsPerEpoch);
  if (fitsInMemory(needed, available)) return;
  const fits = (latents: number) =>
    fitsInMemory(memoryNeeded({ ...config, latent_dim: latents }, width, rowsPerEpoch || Infinity), available);
  let largest = 2 ** Math.floor(Math.log2(config.latent_dim));
  while (largest >= config.k && !fits(largest)) largest /= 2;
  const limited = needed.parameters <= largestWasmMemory && limitBytes < machine;
  const bound = limited ? 'the memory limit is' : 'this machine has';
  const sentence =
    needed.parameters > largestWasmMemory
      ? `latent_dim ${config.latent_dim} × width ${width} needs ${formatBytes(needed.parameters)} of parameters, moments and ` +
        `step buffers; one WebAssembly memory holds 4 GiB.`
      : `Training needs ${formatBytes(needed.total)} (${formatBytes(needed.parameters)} of parameters and moments, ` +
        `${formatBytes(needed.buffer)} of shuffle buffer); ${bound} ${formatBytes(available)}.`;
  const smaller =
    largest >= config.k ? `A latent_dim of ${largest} fits.` : 'Choose a smaller batch_size or shuffle_buffer_tokens.';
  const raise = needed.total <= machine ? ' Or raise the memory limit.' : '';
  throw inputError('too_large', sentence, limited ? smaller + raise : smaller, 'latent_dim');
}
