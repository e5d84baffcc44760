import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, test } from 'node:test';
import * as v from 'valibot';
import { type JobEvent, jobEventSchema, type TrainingProgress } from '../../src/shared/events.js';
import { contents, type Ended, iw, start, temporaryFolder, tinyModel } from './cli.js';

const cwd = temporaryFolder();
const small = [
  ...['--model', tinyModel, '--layer', '1', '--text', 'a.jsonl', '--context-size', '32', '--threads', '1'],
  ...['--latent-dim', '64', '--k', '4', '--batch-size', '64', '--seed', '3'],
];

before(async () => {
  const topics = ['taxes', 'schools', 'peace', 'roads', 'farmers', 'the union', 'energy', 'our allies'];
  const lines = Array.from({ length: 160 }, (_, i) =>
    JSON.stringify({ text: `Document ${i}. This year I ask the Congress to think of ${topics[i % 8]!}. `.repeat(4) }),
  );
  await writeFile(path.join(cwd, 'a.jsonl'), `${lines.join('\n')}\n`);
});

function eventsOf({ stdout }: Ended): JobEvent[] {
  const lines = stdout.split('\n');
  assert.equal(lines.pop(), '', 'standard output ends with a whole line');
  return lines.map((line) => v.parse(jobEventSchema, JSON.parse(line)));
}

test('a run from nothing but flags ends with a table, the paths and every file', async () => {
  const { code, stdout, stderr } = await iw(cwd, 'train', ...small, '--epochs', '2', '--out', 'run');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Run folder run$/m);
  assert.match(stderr, /^✓ Training .* steps · [\d,]+ tokens · loss \d/m);
  assert.match(stdout, /^Trained topk · 64 latents · k 4 · blocks\.1\.hook_resid_post$/m);
  assert.match(stdout, /^explained variance +\d\.\d+ +-?\d\.\d+$/m);
  const weights = /^weights +(.*)$/m.exec(stdout)?.[1];
  assert.equal(weights, path.join('run', 'sae_weights.safetensors'));
  assert.doesNotMatch(stdout + stderr, /\u001b/);
  const files = await contents(path.join(cwd, 'run'));
  for (const name of [
    'sae_weights.safetensors',
    'cfg.json',
    'evaluation.json',
    'metrics.jsonl',
    'config.sae.json',
    'job.json',
  ]) {
    assert.ok(files.includes(name), `${name} in ${files.join(' ')}`);
  }
  assert.ok(!files.includes('lock'));
});

test('a run can be read, measured and its features seen from its folder', async () => {
  const show = await iw(cwd, 'show', 'run');
  assert.equal(show.code, 0, show.stderr);
  assert.match(show.stdout, /^status +completed$/m);
  assert.match(show.stdout, /^evaluation \([\d,]+ tokens: .*held out/m);
  const profile = show.stdout.slice(show.stdout.indexOf('\nwhere the time went\n'));
  const parts = [...profile.matchAll(/^ {2}(\S.*?) +[\d.:]+( s)? +([\d.]+) %$/gm)];
  for (const name of ['Language model', 'SAE encoder', 'Sparse kernels', 'Optimizer', 'Disk', 'Tokenizing'])
    assert.ok(
      parts.some(([, activity]) => activity === name),
      `${name} in ${profile}`,
    );
  const sum = parts.reduce((total, [, , , percent]) => total + Number(percent), 0);
  assert.ok(Math.abs(sum - 100) < 1, profile);
  const features = await iw(cwd, 'show', 'run', '--features', '3');
  assert.equal(features.code, 0, features.stderr);
  assert.equal([...features.stdout.matchAll(/^latent \d+ · fires on/gm)].length, 3);
  const latent = /^latent (\d+)/.exec(features.stdout)![1]!;
  const one = await iw(cwd, 'show', 'run', '--latent', latent);
  assert.ok(features.stdout.startsWith(one.stdout));
  assert.equal((await iw(cwd, 'show', 'run', '--latent', '64')).code, 2);
  const measured = await iw(cwd, 'eval', 'run', '--json', '--threads', '1');
  assert.equal(measured.code, 0, measured.stderr);
  const evaluation = JSON.parse(await readFile(path.join(cwd, 'run', 'evaluation.json'), 'utf8')) as object;
  const again = JSON.parse(measured.stdout) as Record<string, unknown>;
  assert.equal(again.explained_variance, (evaluation as typeof again).explained_variance);
  const elsewhere = await iw(cwd, 'eval', 'run', '--text', 'a.jsonl');
  assert.equal(elsewhere.code, 0, elsewhere.stderr);
  assert.match(elsewhere.stdout, /^explained variance +-?\d/m);
});

test('started by npm, which runs scripts in the package’s folder, paths are meant from where the person is', async () => {
  const env = { npm_lifecycle_event: 'iw', INIT_CWD: cwd };
  const { code, stdout, stderr } = await start(process.cwd(), ['show', 'run'], { env });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^status +completed$/m);
});

test('as JSON standard output is the events and nothing else, progress never falls and the end comes last', async () => {
  const ended = await iw(cwd, 'train', ...small, '--epochs', '2', '--json');
  assert.equal(ended.code, 0, ended.stderr);
  const events = eventsOf(ended);
  const progress = events.filter((event) => event.type === 'training_progress');
  assert.deepEqual(
    events.map(({ seq }) => seq),
    Array.from(events, (_, i) => events[0]!.seq + i),
  );
  progress.reduce((before, event) => {
    assert.ok(event.progress >= before);
    return event.progress;
  }, 0);
  assert.equal(progress.filter((event) => event.progress === 100).length, 1);
  assert.equal(events.at(-2)!.status, 'completed');
  assert.equal(events.at(-1)!.type, 'training_completed');
  assert.equal(new Set(progress.map(({ phase }) => phase)).has('training'), true);
});

test('the default run folder is a new one under .interpretability, kept out of git', async () => {
  const runs = path.join(cwd, '.interpretability', 'runs');
  assert.equal(await readFile(path.join(runs, '.gitignore'), 'utf8'), '*\n');
});

test('Ctrl-C keeps a checkpoint, says how to go on, and going on completes the run', async () => {
  const isTraining = (event: JobEvent) =>
    event.type === 'training_progress' && event.phase === 'training' && event.step > 0;
  const { code, stderr } = await start(cwd, ['train', ...small, '--epochs', '400', '--out', 'stopped', '--json'], {
    onLine: (line, child) => {
      if (!child.killed && isTraining(JSON.parse(line) as JobEvent)) child.kill('SIGINT');
    },
  });
  assert.equal(code, 130, stderr);
  assert.match(stderr, /a checkpoint is kept\. To go on:\n {2}.* train --resume stopped$/m);
  const shown = await iw(cwd, 'show', 'stopped');
  assert.match(shown.stdout, /^status +cancelled at/m);

  const before = JSON.parse(await readFile(path.join(cwd, 'stopped', 'job.json'), 'utf8')) as {
    step: number;
    seq: number;
  };
  const again = await start(cwd, ['train', '--resume', 'stopped', '--json'], {
    onLine: (line, child) => {
      if (!child.killed && isTraining(JSON.parse(line) as JobEvent)) child.kill('SIGTERM');
    },
  });
  assert.equal(again.code, 130);
  const events = eventsOf(again);
  assert.ok(events.every(({ attempt, seq }) => attempt === 2 && seq > before.seq));
  const first = events.find(isTraining) as TrainingProgress;
  assert.ok(first.step >= before.step, `${first.step} goes on from ${before.step}`);
});

test('resuming a run with another model, or a finished one, is refused', async () => {
  const stopped = await iw(cwd, 'train', '--resume', 'stopped', '--layer', '2');
  assert.equal(stopped.code, 2, stopped.stderr);
  assert.match(stopped.stderr, /^error: .+\nhint: .+/m);
  const finished = await iw(cwd, 'train', '--resume', 'run');
  assert.equal(finished.code, 2, finished.stderr);
  assert.match(finished.stderr, /^error: .*completed/m);
});

test('hook points are listed with their widths, for people and as JSON', async () => {
  const { code, stdout, stderr } = await iw(cwd, 'hooks', tinyModel);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^blocks\.1\.hook_resid_post +1 +64 +\S+$/m);
  assert.match(stdout, /^blocks\.3\.mlp\.hook_post +3 +256 +\S+$/m);
  const { hooks } = JSON.parse((await iw(cwd, 'hooks', tinyModel, '--json')).stdout) as { hooks: { name: string }[] };
  assert.ok(hooks.some(({ name }) => name === 'blocks.1.hook_resid_post'));
});

test('recorded activations are a file that a run can be trained on', async () => {
  const source = small.slice(0, 10);
  const recorded = await iw(cwd, 'extract', ...source, '--out', 'acts.parquet', '--quiet');
  assert.equal(recorded.code, 0, recorded.stderr);
  assert.match(recorded.stdout, /^[\d,]+ activations of width 64, .*: acts\.parquet$/m);
  const args = [
    '--activations',
    'acts.parquet',
    '--latent-dim',
    '64',
    '--k',
    '4',
    '--batch-size',
    '64',
    '--epochs',
    '1',
  ];
  const trained = await iw(cwd, 'train', ...args, '--out', 'from-acts', '--quiet');
  assert.equal(trained.code, 0, trained.stderr);
  assert.match(trained.stdout, /^loss recovered +– +–$/m);
});

test('the newest log lines can be read, and the run is in them', async () => {
  const { code, stdout } = await iw(cwd, 'logs', '-n', '5');
  assert.equal(code, 0);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, 5);
  assert.match(lines.at(-1)!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - \w+ - (DEBUG|INFO|WARNING|ERROR) - /);
  assert.equal((await iw(cwd, 'logs', '--dir', 'nowhere')).code, 2);
});

test('the help lists every command, and asking for nothing is an error', async () => {
  const help = await iw(cwd, '--help');
  assert.equal(help.code, 0);
  for (const command of ['train', 'extract', 'eval', 'hooks', 'show', 'logs'])
    assert.match(help.stdout, new RegExp(`^ +${command}\\b`, 'm'));
  assert.match((await iw(cwd, '--version')).stdout, /^\d+\.\d+\.\d+\n$/);
  const nothing = await iw(cwd);
  assert.equal(nothing.code, 2);
  assert.match(nothing.stderr, /^Usage: iw/);
});
