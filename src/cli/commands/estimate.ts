import { bytes, duration, whole } from '../../shared/format.js';
import type { Estimate } from '../../shared/messages.js';
import { phaseNames, saeLine } from '../../shared/wording.js';
import { mergeConfig, readConfigFile } from '../../workbench/config-file.js';
import { exitCodes } from '../exit.js';
import { configFromFlags, sourceFlags, trainingFlags, withBundled } from '../flags.js';
import { runShown } from '../task.js';
import { silentDisplay } from '../terminal/display.js';
import { speedLine } from '../terminal/speed.js';
import { pairs } from '../terminal/table.js';

export interface EstimateOptions {
  json?: boolean;
}

/** What a training would take, one quantity per line. */
export function estimateLines(estimate: Estimate): string[] {
  const { config, width, tokens, steps, tokens_per_epoch: perEpoch, exact, seconds_by_phase: byPhase } = estimate;
  const phases = Object.entries(byPhase).filter(([, seconds]) => seconds >= 0.05);
  const parts = phases.map(([phase, seconds]) => `${phaseNames[phase as keyof typeof byPhase]} ${duration(seconds)}`);
  return pairs([
    ['SAE', `${saeLine(config)} · width ${width}`],
    ['data', `${exact ? '' : 'about '}${whole(perEpoch)} tokens per epoch`],
    ['training', `${whole(tokens)} tokens: ${whole(steps)} steps of ${whole(config.batch_size)}`],
    ['speed', speedLine(estimate)],
    ['time', `about ${duration(estimate.seconds)} (${parts.join(', ')})`],
    ['disk', `${bytes(estimate.disk_bytes)} while it runs`],
    ['memory', bytes(estimate.memory_bytes)],
  ]);
}

/** `iw estimate [CONFIG.sae.json]` */
export async function estimate(file: string | undefined, options: EstimateOptions): Promise<number> {
  const given = file === undefined ? {} : await readConfigFile(file);
  const config = withBundled(mergeConfig(given, configFromFlags(options, [...sourceFlags, ...trainingFlags])));
  const outcome = await runShown({ kind: 'estimate', config }, silentDisplay(process.stderr, 'WARNING'));
  if (outcome.status === 'cancelled') return exitCodes.interrupted;
  const { result } = outcome;
  process.stdout.write(`${options.json ? JSON.stringify(result) : estimateLines(result).join('\n')}\n`);
  return exitCodes.done;
}
