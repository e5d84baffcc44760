import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import type { TrainReply } from '../../src/shared/api.js';
import { resumableRun } from '../../test/editor/training.js';
import { enginePath } from '../../test/workbench/small-run.js';
import { sendTimes } from '../editor/latency.js';
import { record } from '../editor/recording.js';
import type { Replay } from '../editor/replay.js';
import type { ClientsMessage, ClientsTask, Heard } from './clients.js';
import type { ServerMessage, ServerTask, Usage } from './server.js';

/**
 * npm run bench:server: what it costs to serve clients, from the engine's message to the client's. The stream was recorded
 * from a real engine and comes ten times a second. `--seconds 600`, `--clients 32`; `--json` for one object.
 */

const everyMs = 100;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** An engine that sends what a real one sent; the program. */
async function standIn(folder: string, replay: Replay): Promise<string> {
  const outfile = path.join(folder, 'engine.js');
  await build({
    entryPoints: [path.join(__dirname, '..', 'editor', 'replay.ts')],
    outfile,
    bundle: true,
    platform: 'node',
  });
  writeFileSync(path.join(folder, 'replay.json'), JSON.stringify(replay));
  return outfile;
}

interface Program {
  child: ChildProcess;
  ended: Promise<void>;
}

function start(name: string): Program {
  const child = fork(path.join(__dirname, name), [], { execArgv: ['--import', 'tsx'], serialization: 'advanced' });
  const ended = once(child, 'exit').then(([code]: (number | null)[]) => {
    if (code !== 0) throw new Error(`${name} ended with ${code}.`);
  });
  return { child, ended };
}

/** The next message of a process, which is of this type. */
async function next<M extends { type: string }, T extends M['type']>(
  { child, ended }: Program,
  type: T,
): Promise<Extract<M, { type: T }>> {
  const early = ended.then(() => {
    throw new Error(`It ended without having ${type}.`);
  });
  const [message] = (await Promise.race([once(child, 'message'), early])) as [M];
  if (message.type !== type) throw new Error(`Expected ${type} instead of ${message.type}.`);
  return message as Extract<M, { type: T }>;
}

interface Result {
  usage: Usage;
  heard: Heard[][];
  /** When the engine sent each step, in ms since 1970. */
  sentAt: number[];
}

async function measure(folder: string, seconds: number, clients: number): Promise<Result> {
  say('Recording what an engine sends …');
  const lastStep = Math.round((seconds * 1000) / everyMs);
  const recording = await record(enginePath, resumableRun);
  const engine = await standIn(folder, { recording, messages: lastStep, everyMs });
  const server = start('server.ts');
  server.child.send({ folder, enginePath: engine, lastStep } satisfies ServerTask);
  const { url, token } = await next<ServerMessage, 'serving'>(server, 'serving');
  const listeners = start('clients.ts');
  listeners.child.send({ url, token, clients, lastStep } satisfies ClientsTask);
  await next<ClientsMessage, 'connected'>(listeners, 'connected');
  say(`Ten messages a second to ${clients} clients, for ${seconds} s …`);
  const headers = { Authorization: `Bearer ${token}` };
  const over = Promise.all([
    next<ServerMessage, 'over'>(server, 'over'),
    next<ClientsMessage, 'heard'>(listeners, 'heard'),
  ]);
  const begun = await fetch(`${url}/sae/train`, { method: 'POST', headers, body: '{"layer_idx":0}' });
  const { job_id, output_dir } = (await begun.json()) as TrainReply;
  const [{ usage }, { heard }] = await over;
  const sentAt = await sendTimes(output_dir);
  await fetch(`${url}/sae/training/${job_id}`, { method: 'DELETE', headers });
  server.child.disconnect();
  await Promise.all([server.ended, listeners.ended]);
  return { usage, heard, sentAt };
}

/** What of the stream a client could have heard and has not. */
function lost({ usage }: Result, heard: readonly Heard[]): number {
  const seqs = new Set(heard.map(({ seq }) => seq));
  return usage.published.filter((seq) => !seqs.has(seq)).length;
}

function print(result: Result, json: boolean): void {
  const { usage, heard, sentAt } = result;
  const latencies = heard.flat().map(({ step, at }) => at - sentAt[step]!);
  latencies.sort((a, b) => a - b);
  const quantile = (part: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(part * latencies.length))] ?? NaN;
  const counts = heard.map(({ length }) => length);
  const summary = {
    clients: heard.length,
    seconds: usage.seconds,
    cpu_percent: (100 * usage.cpuSeconds) / usage.seconds,
    resident_mb: usage.residentBytes / 1e6,
    sent: sentAt.length - 1,
    published: usage.published.length,
    received_least: Math.min(...counts),
    received_most: Math.max(...counts),
    lost: heard.reduce((sum, each) => sum + lost(result, each), 0),
    latency_p50_ms: quantile(0.5),
    latency_p99_ms: quantile(0.99),
  };
  if (json) {
    process.stdout.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const rows = [
    [
      'CPU time of the server',
      `${summary.cpu_percent.toFixed(2)} % of a core  (limit 5 %)`,
      `${usage.seconds.toFixed(0)} s`,
    ],
    ['messages per client', `${summary.received_least} to ${summary.received_most}`, `${summary.published} published`],
    ['lost', String(summary.lost), `${summary.clients} clients`],
    ['engine to client, p50, p99', `${ms(summary.latency_p50_ms)}, ${ms(summary.latency_p99_ms)}`, ''],
    ['resident memory of the server', `${summary.resident_mb.toFixed(0)} MB`, 'at the end'],
  ];
  for (const [name = '', value = '', about = ''] of rows) {
    process.stdout.write(`${name.padEnd(34)}${value.padEnd(36)}${about}\n`);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '600' },
      clients: { type: 'string', default: '32' },
      json: { type: 'boolean', default: false },
    },
  });
  say(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} threads`);
  const folder = mkdtempSync(path.join(tmpdir(), 'iw-bench-server-'));
  try {
    print(await measure(folder, Number(values.seconds), Number(values.clients)), values.json);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

void main();
