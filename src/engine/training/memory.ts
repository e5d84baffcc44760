import { totalmem } from 'node:os';
import type { ResolvedConfig } from '../../shared/config.js';
import { inputError } from '../../shared/errors.js';
import { formatBytes } from '../activations/disk-space.js';
import { cpuBytes } from './backends/cpu/options.js';

const largestWasm = 4 * 2 ** 30;
/** Node, ONNX Runtime and the chunks in flight. */
const overhead = 300e6;

/** Bytes that training takes: parameters, moments and step buffers; and with them the shuffle buffer and the program. */
export function memoryNeeded(config: ResolvedConfig, width: number, rowsPerEpoch: number) {
  const { architecture, latent_dim: latents, k, batch_size: batch } = config;
  const parameters = cpuBytes({ architecture, width, latents, k, batch });
  const buffer = 4 * width * Math.min(config.shuffle_buffer_tokens, rowsPerEpoch);
  return { parameters, buffer, total: parameters + buffer + overhead };
}

/** @throws WorkbenchError `too_large` with the arithmetic and what would fit. */
export function checkMemory(config: ResolvedConfig, width: number, rowsPerEpoch: number): void {
  const needed = memoryNeeded(config, width, rowsPerEpoch);
  const available = totalmem();
  if (needed.parameters <= largestWasm && needed.total <= available) return;
  const fits = (latents: number) => {
    const { parameters, total } = memoryNeeded({ ...config, latent_dim: latents }, width, rowsPerEpoch);
    return parameters <= largestWasm && total <= available;
  };
  let largest = 2 ** Math.floor(Math.log2(config.latent_dim));
  while (largest >= config.k && !fits(largest)) largest /= 2;
  const sentence =
    needed.parameters > largestWasm
      ? `latent_dim ${config.latent_dim} × width ${width} needs ${formatBytes(needed.parameters)} of parameters, moments and ` +
        `step buffers; one WebAssembly memory holds 4 GiB.`
      : `Training needs ${formatBytes(needed.total)} (${formatBytes(needed.parameters)} of parameters and moments, ` +
        `${formatBytes(needed.buffer)} of shuffle buffer); this machine has ${formatBytes(available)}.`;
  const hint =
    largest >= config.k ? `A latent_dim of ${largest} fits.` : 'Choose a smaller batch_size or shuffle_buffer_tokens.';
  throw inputError('too_large', sentence, hint, 'latent_dim');
}
