import { availableParallelism, loadavg } from 'node:os';
import type { ResolvedConfig } from '../../shared/config.js';
import { whole } from '../../shared/format.js';
import { stepShape } from '../../shared/memory.js';
import type { Estimate } from '../../shared/messages.js';
import { saeLine } from '../../shared/wording.js';
import { readConfigFile, withDefaultSource } from '../../workbench/config-file.js';
import { runTask } from '../../workbench/engine-process.js';
import { speedLine } from '../terminal/speed.js';
import { type Check, expect, type Finding } from './check.js';
import type { Place } from './place.js';

/** What training will be like here: with the configuration given, else with the model and text that ship. */

async function expectedSpeed(place: Place, signal: AbortSignal): Promise<Finding> {
  const given = place.configFile === undefined ? {} : await readConfigFile(place.configFile);
  const config = withDefaultSource(given, 'Add a "layer_idx"; `iw hooks` lists what the model has.');
  const busy = loadavg()[0]! > 1.5 * availableParallelism();
  const running = runTask({ kind: 'estimate', config });
  signal.addEventListener('abort', running.cancel);
  if (signal.aborted) running.cancel();
  const outcome = await running.result;
  expect(outcome.status === 'completed', 'The engine was stopped.');
  place.estimate = outcome.result;
  const found = `${speedLine(outcome.result)} (${saeLine(outcome.result.config)})`;
  return busy ? { note: `${found}; slowed by other programs, which keep this machine busy` } : found;
}

/** The backend that trains, and why it does. */
function backend({ estimate }: Place): Finding {
  const threads = estimate?.config.threads ?? availableParallelism();
  const each = `each on ${threads} thread${threads === 1 ? '' : 's'}`;
  const found = `cpu, the only one: ONNX Runtime for products, WebAssembly SIMD for the rest, ${each}`;
  return estimate === undefined ? found : `${found}; ${candidatesOf(estimate)}`;
}

/** How topk finds a token’s latents with a configuration, and why so. */
export function candidatesOf({ config, width }: Pick<Estimate, 'config' | 'width'>): string {
  const { architecture, latent_dim: latents, k, batch_size: batch, preselection } = config;
  const { candidates } = stepShape({ architecture, width, latents, k, batch, preselection });
  return candidates > 0 ? `${candidates} int8 candidates per token` : `no int8 candidates: ${whyNone(config)}`;
}

function whyNone({ architecture, preselection, latent_dim: latents, k }: ResolvedConfig): string {
  if (architecture !== 'topk') return `${architecture} has no k`;
  return preselection === 'none' ? 'preselection is none' : `${whole(latents)} latents are too few for k ${k}`;
}

export const speedChecks: readonly Check<Place>[] = [
  { name: 'expected speed', needs: ['temporary folder', 'native library'], within: 120, run: expectedSpeed },
  { name: 'backend', needs: ['native library'], run: backend },
];
