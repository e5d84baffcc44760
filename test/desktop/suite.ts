import assert from 'node:assert/strict';
import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { commandId, commands, type CommandName } from '../../src/extension/command-table.js';

/** Checks that run inside an extension host, desktop or server: what depends on how that forks and loads programs. */

const extensionId = 'interpretability-workbench.interpretability-workbench';

const checks: [string, (folder: string) => Promise<void>][] = [
  ['activating takes little time and offers every command', activates],
  ['a *.sae.json trains to its end in an engine process of this host', trains],
];

export async function run(): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  assert.ok(folder, 'a folder must be open');
  for (const [name, check] of checks) {
    await check(folder);
    console.log(`ok: ${name}`);
  }
}

async function activates(): Promise<void> {
  const extension = vscode.extensions.getExtension(extensionId);
  assert.ok(extension, `${extensionId} is not installed`);
  await extension.activate();
  const known = await vscode.commands.getCommands(true);
  for (const name of Object.keys(commands) as CommandName[]) assert.ok(known.includes(commandId(name)), name);
}

async function trains(folder: string): Promise<void> {
  const fixtures = process.env.IW_FIXTURES;
  assert.ok(fixtures, 'IW_FIXTURES names the folder of the tiny model');
  const file = path.join(folder, 'tiny.sae.json');
  const config = {
    model: path.join(fixtures, 'tiny-sotu-gpt2'),
    text: 'bundled:sample',
    layer_idx: 0,
    max_samples: 3,
    max_epochs: 3,
    latent_dim: 64,
    k: 4,
    batch_size: 128,
    cross_entropy_tokens: 256,
  };
  writeFileSync(file, JSON.stringify(config));
  const uri = vscode.Uri.file(file);
  await vscode.window.showTextDocument(uri);
  const [lens] = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri);
  assert.equal(lens?.command?.command, commandId('trainFile'));
  const id = await vscode.commands.executeCommand<string>(
    lens.command.command,
    ...((lens.command.arguments ?? []) as unknown[]),
  );
  assert.equal(typeof id, 'string', 'the command answers with the id of the job');
  const run = path.join(folder, '.interpretability', 'runs', id);
  const job = await ended(path.join(run, 'job.json'));
  assert.equal(job.status, 'completed', JSON.stringify(job.error));
  for (const name of ['sae_weights.safetensors', 'cfg.json', 'evaluation.json']) {
    assert.ok(existsSync(path.join(run, name)), name);
  }
}

interface Ending {
  status: string;
  error?: unknown;
}

/** `job.json` once its job has ended. */
function ended(file: string): Promise<Ending> {
  return new Promise((resolve) => {
    const look = () => {
      const job = JSON.parse(readFileSync(file, 'utf8')) as Ending;
      if (!['completed', 'failed', 'cancelled'].includes(job.status)) return;
      watcher.close();
      resolve(job);
    };
    const watcher = watch(path.dirname(file), look);
    look();
  });
}
