import { Option, type Command } from 'commander';
import { describe, parseConfig, type SaeConfig } from '../shared/config.js';
import { inputError, toProblem } from '../shared/errors.js';
import { absolutePaths, withDefaultSource } from '../workbench/config-file.js';

/** The flags that set a key of the configuration: one row each, from which parsing, help and messages come. */

interface Flag {
  flag: string;
  key: keyof SaeConfig;
  number: boolean;
}

const number = (flag: string, key: keyof SaeConfig): Flag => ({ flag, key, number: true });
const text = (flag: string, key: keyof SaeConfig): Flag => ({ flag, key, number: false });

/** Where activations come from. */
export const sourceFlags = [
  text('--model <dir|file>', 'model'),
  number('--layer <n>', 'layer_idx'),
  text('--hook <name>', 'hook_name'),
  text('--text <file...>', 'text'),
  number('--context-size <n>', 'context_size'),
  number('--max-samples <n>', 'max_samples'),
  number('--seed <n>', 'seed'),
  number('--threads <n>', 'threads'),
];

/** What is trained on them. */
export const trainingFlags = [
  text('--activations <file>', 'activation_data_path'),
  text('--architecture <name>', 'architecture'),
  number('--latent-dim <n>', 'latent_dim'),
  number('--k <n>', 'k'),
  number('--sparsity-coef <x>', 'sparsity_coef'),
  number('--epochs <n>', 'max_epochs'),
  number('--tokens <n>', 'max_tokens'),
  number('--batch-size <n>', 'batch_size'),
  number('--learning-rate <x>', 'learning_rate'),
  text('--out <dir>', 'output_dir'),
];

/** `--latent-dim <n>` as commander's attribute name: latentDim. */
function attribute({ flag }: Flag): string {
  return new Option(flag).attributeName();
}

/** `--latent-dim <n>` as it is typed: --latent-dim. */
function nameOf({ flag }: Flag): string {
  return flag.split(' ', 1)[0]!;
}

/** Adds flags to a command, each explained by its key's sentence in the schema. */
export function addFlags(command: Command, flags: readonly Flag[]): Command {
  for (const { flag, key } of flags) command.addOption(new Option(flag, describe(key)));
  return command;
}

function numberOf(name: string, given: string): number {
  const value = Number(given);
  if (given.trim() === '' || !Number.isFinite(value)) {
    throw inputError('config_invalid', `${name} is "${given}", expected a number.`, `For example: ${name} 32`);
  }
  return value;
}

/**
 * The part of a configuration that flags gave; relative paths count from the current folder.
 * @throws WorkbenchError `config_invalid` where a flag's value cannot be what its key needs.
 */
export function configFromFlags(options: object, flags: readonly Flag[]): SaeConfig {
  const values = options as Record<string, unknown>;
  const given: Record<string, unknown> = {};
  for (const row of flags) {
    const value = values[attribute(row)];
    if (value !== undefined) given[row.key] = row.number ? numberOf(nameOf(row), value as string) : value;
  }
  const config = absolutePaths(parseFlags(given, flags), process.cwd());
  // --text takes everything up to the next flag, so a configuration written after it would be swallowed as text.
  const swallowed = config.text?.find((file) => file.endsWith('.sae.json'));
  if (swallowed === undefined) return config;
  const sentence = `--text was given the configuration ${swallowed}.`;
  throw inputError('config_invalid', sentence, 'Write the configuration before the flags.', 'text');
}

/** Checks what flags gave; a message about a key names the flag instead, which is what was typed. */
function parseFlags(given: Record<string, unknown>, flags: readonly Flag[]): SaeConfig {
  const origin = 'The command line';
  try {
    return parseConfig(given, origin);
  } catch (error) {
    const problem = toProblem(error);
    const row = flags.find(({ key }) => key === problem.field);
    if (!row) throw error;
    const message = problem.message.replace(`${origin}: "${row.key}"`, nameOf(row));
    throw inputError(problem.code, message, problem.hint, row.key);
  }
}

/** The configuration with the model and text that ship where it names none. @throws WorkbenchError `config_invalid`. */
export function withBundled(config: SaeConfig): SaeConfig {
  return withDefaultSource(config, 'Add --layer N; `iw hooks` lists what the model has.');
}
