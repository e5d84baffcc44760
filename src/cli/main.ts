#!/usr/bin/env node
import { tellFault } from './fault.js';
import { run } from './program.js';

// npm runs scripts in the package's folder; what a person types is meant from where they are.
const { npm_lifecycle_event: script, INIT_CWD: typedIn } = process.env;
if (script === 'iw' && typedIn !== undefined) process.chdir(typedIn);

// A reader that has gone (`iw show … | head`, a closed terminal) is no reason for a stack trace, and none to end training.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// The engine notices that its parent has gone, writes a checkpoint and ends.
process.once('uncaughtException', (error) => {
  void tellFault(error).finally(() => process.exit(1));
});

// The exit code is set and the process left to end by itself, so that pipes are written to their end on every platform.
void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
