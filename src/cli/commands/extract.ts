import path from 'node:path';
import { mergeConfig, readConfigFile } from '../../workbench/config-file.js';
import { exitCodes } from '../exit.js';
import { configFromFlags, sourceFlags, withBundled } from '../flags.js';
import { shortest } from '../invocation.js';
import { runShown } from '../task.js';
import { displayFor } from '../terminal/display.js';
import { bytes, whole } from '../../shared/format.js';

export interface ExtractOptions {
  out: string;
  activationEncoding: 'fixed' | 'list';
  textSnippets?: boolean;
  quiet?: boolean;
}

/** `iw extract [CONFIG.sae.json] … --out FILE.parquet` */
export async function extract(file: string | undefined, options: ExtractOptions): Promise<number> {
  const given = file === undefined ? {} : await readConfigFile(file);
  const flags = configFromFlags(options, sourceFlags);
  const outcome = await runShown(
    {
      kind: 'extract',
      config: withBundled(mergeConfig(given, flags)),
      out: path.resolve(options.out),
      encoding: options.activationEncoding,
      textSnippets: options.textSnippets ?? false,
    },
    displayFor(process.stderr, options),
  );
  if (outcome.status === 'cancelled') {
    process.stderr.write('Interrupted: no file was written.\n');
    return exitCodes.interrupted;
  }
  const { rows, width, bytes: size, path: written } = outcome.result;
  process.stdout.write(`${whole(rows)} activations of width ${width}, ${bytes(size)}: ${shortest(written)}\n`);
  return exitCodes.done;
}
