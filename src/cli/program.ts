import { Command, CommanderError, Option } from 'commander';
import { version } from '../../package.json';
import { inputError, type WorkbenchError } from '../shared/errors.js';
import { logComponents, logLevels } from '../shared/logs.js';
import { doctor } from './commands/doctor.js';
import { estimate } from './commands/estimate.js';
import { evaluate } from './commands/evaluate.js';
import { extract } from './commands/extract.js';
import { hooks } from './commands/hooks.js';
import { logs } from './commands/logs.js';
import { defaultFlags, serve } from './commands/serve.js';
import { show } from './commands/show.js';
import { train } from './commands/train.js';
import { exitCodes } from './exit.js';
import { tellFault } from './fault.js';
import { addFlags, sourceFlags, trainingFlags } from './flags.js';
import { commandLine } from './invocation.js';

/**
 * Runs one command line (without node and script) to its end.
 * @returns the exit code: 0 done, 1 failed, 2 unusable input, 130 interrupted.
 */
export async function run(argv: readonly string[]): Promise<number> {
  let code: number = exitCodes.done;
  const program = build((result) => (code = result));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    // Without a command, commander has printed the help.
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.input;
    return tellFault(error instanceof CommanderError ? usageError(error) : error);
  }
}

/** Commander's message is a line with the fault and sometimes one with a suggestion. */
function usageError(error: CommanderError): WorkbenchError {
  const [fault = '', suggestion = ''] = error.message
    .replace(/^error: /, '')
    .replace('. Expected', ': expected')
    .split('\n');
  const sentence = `${fault.charAt(0).toUpperCase()}${fault.slice(1).replace(/\.$/, '')}.`;
  const help = `${commandLine('--help')} lists the commands, and --help after one its flags.`;
  return inputError('config_invalid', sentence, suggestion.replace(/^\(|\)$/g, '') || help);
}

function build(done: (code: number) => void): Command {
  const program = new Command('iw')
    .description('Train and read sparse autoencoders on a transformer’s activations.')
    .version(version, '-V, --version', 'Show the version.')
    .helpOption('-h, --help', 'Show this help.')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ helpWidth: Math.min(process.stdout.columns || 100, 120), sortSubcommands: false });

  addFlags(
    program
      .command('train')
      .summary('train a sparse autoencoder')
      .description(
        'Trains a sparse autoencoder on one layer of a model. Flags override the file; without either, the bundled model and text are used.',
      )
      .argument('[config]', 'a *.sae.json file'),
    [...sourceFlags, ...trainingFlags],
  )
    .option('--resume <dir>', 'Continue the run in this folder from its newest checkpoint.')
    .option('--json', 'Print every event as one line of JSON on standard output, and nothing else there.')
    .option('--quiet', 'Show no progress, only the result.')
    .option('--port <n>', 'Serve the local API beside the training: on this port, or the next free one.')
    .action(async (file: string | undefined, options: Parameters<typeof train>[1]) => {
      done(await train(file, options));
    });

  addFlags(
    program
      .command('estimate')
      .summary('tell what a training would take')
      .description('Tries a few seconds of the work, and tells the time, disk and memory that the training would take.')
      .argument('[config]', 'a *.sae.json file'),
    [...sourceFlags, ...trainingFlags],
  )
    .option('--json', 'Print it as one line of JSON on standard output.')
    .action(async (file: string | undefined, options: Parameters<typeof estimate>[1]) => {
      done(await estimate(file, options));
    });

  addFlags(
    program
      .command('serve')
      .summary('train for notebooks, scripts and web pages')
      .description(
        'Serves the local API (HTTP and WebSocket) on 127.0.0.1 until Ctrl-C. Runs go to .interpretability/runs in the root.',
      )
      .option('--port <n>', 'The port; the next free one where it is in use. 0: any free one.', '8000')
      .option('--root <dir>', 'The folder that requests may name files in; relative paths count from it.', '.')
      .option('--allow-folder <dir>', 'Another folder that requests may name files in; can be repeated.', collect, [])
      .option('--allow-origin <url>', 'Origin of web pages that may use the API; can be repeated.', collect, [])
      .option('--no-auth', 'Require no token: every program and every user of this machine can then train.')
      .option('--concurrency <n>', 'Runs trained at the same time; the others wait.', '1')
      .option('--log-level <level>', 'Least level that is logged, or component=LEVEL; can be repeated.', collect, []),
    defaultFlags,
  ).action(async (options: Parameters<typeof serve>[0]) => {
    done(await serve(options));
  });

  addFlags(
    program
      .command('extract')
      .summary('record activations to a Parquet file')
      .description('Records the activations of one layer of a model on text, and trains nothing.')
      .argument('[config]', 'a *.sae.json file'),
    sourceFlags,
  )
    .requiredOption('--out <file>', 'The .parquet file to write.')
    .addOption(
      new Option('--activation-encoding <encoding>', 'How a row of activations is stored.')
        .choices(['fixed', 'list'])
        .default('fixed'),
    )
    .option('--text-snippets', 'Store the text around each token too.')
    .option('--quiet', 'Show no progress, only the result.')
    .action(async (file: string | undefined, options: Parameters<typeof extract>[1]) => {
      done(await extract(file, options));
    });

  program
    .command('eval')
    .summary('measure a trained SAE on text')
    .description('Measures a trained SAE: on its own held-out documents, or on the text given.')
    .argument('<run>', 'the run folder')
    .option('--text <file...>', 'The text: .txt, .md or .jsonl files, folders of them, or bundled:sample.')
    .option('--threads <n>', 'Threads of the engine; all cores.')
    .option('--json', 'Print the metrics as one line of JSON on standard output.')
    .option('--quiet', 'Show no progress, only the result.')
    .action(async (dir: string, options: Parameters<typeof evaluate>[1]) => {
      done(await evaluate(dir, options));
    });

  program
    .command('hooks')
    .summary('list the hook points of a model')
    .description('Lists the places of a model whose activations can be read, with their widths.')
    .argument('<model>', 'a folder with an ONNX file and tokenizer.json, an .onnx file, or bundled:demo-gpt2')
    .option('--json', 'Print them as one line of JSON on standard output.')
    .action(async (model: string, options: Parameters<typeof hooks>[1]) => {
      done(await hooks(model, options));
    });

  program
    .command('show')
    .summary('tell a run’s story from its folder')
    .description('Tells a run’s story from its folder: what was trained, how it went and how good it is.')
    .argument('<run>', 'the run folder')
    .option('--features [n]', 'Show this many features with their top examples.')
    .option('--latent <i...>', 'Show these features.')
    .action(async (dir: string, options: Parameters<typeof show>[1]) => {
      done(await show(dir, options));
    });

  program
    .command('logs')
    .summary('print log records, or follow them')
    .description(
      'Prints the newest records of one or several log folders in the order of their times, from rotated files and further writers’ folders (logs/2 …) too.',
    )
    .option('--dir <dir...>', 'The log folders.', ['logs'])
    .option('-f, --follow', 'Go on with what is written from now on, until Ctrl-C.')
    .option('--component <name...>', `Only of these: ${logComponents.join(', ')}.`)
    .option('--level <level>', `Only of this level and above: ${logLevels.join(', ')}.`)
    .option('--since <time>', 'Only since then: 90s, 30m, 1h, 2d ago, or a time such as "2024-01-15 10:30".')
    .option('-n, --lines <n>', 'Only the newest so many records (default: 50; with --since, all).')
    .option('--json', 'Print each record as one line of JSON.')
    .action(async (options: Parameters<typeof logs>[0]) => {
      done(await logs(options));
    });

  program
    .command('doctor')
    .summary('check this machine')
    .description(
      'Tries everything that training needs on this machine: a small run, the API, logs, and what happens when things fail. Tells the processor, and how fast training will be.',
    )
    .argument('[config]', 'a *.sae.json file whose training is timed; else the bundled model and text')
    .option('--json', 'Print the result as one line of JSON on standard output.')
    .action(async (file: string | undefined, options: Parameters<typeof doctor>[1]) => {
      done(await doctor(file, options));
    });

  return program;
}

/** The values of a flag that can be repeated. */
function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
