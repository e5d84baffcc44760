import type { HooksResult } from '../../shared/messages.js';
import { absolutePaths } from '../../workbench/config-file.js';
import { exitCodes } from '../exit.js';
import { runShown } from '../task.js';
import { silentDisplay } from '../terminal/display.js';
import { printable, unknown } from '../../shared/format.js';
import { columns } from '../terminal/table.js';

export interface HooksOptions {
  json?: boolean;
}

/** The hook points as a table. */
export function hookLines({ hooks }: HooksResult): string[] {
  const rows = hooks.map(({ name, layer, width, tensor }) => [
    printable(name),
    layer === null ? unknown : String(layer),
    String(width),
    printable(tensor),
  ]);
  return columns(
    [['hook point', 'layer', 'width', 'tensor in the graph'], ...rows],
    ['left', 'right', 'right', 'left'],
  );
}

/** `iw hooks MODEL` */
export async function hooks(name: string, options: HooksOptions): Promise<number> {
  const { model = name } = absolutePaths({ model: name }, process.cwd());
  const outcome = await runShown({ kind: 'hooks', model }, silentDisplay(process.stderr, 'WARNING'));
  if (outcome.status === 'cancelled') return exitCodes.interrupted;
  const { result } = outcome;
  process.stdout.write(`${options.json ? JSON.stringify(result) : hookLines(result).join('\n')}\n`);
  return exitCodes.done;
}
