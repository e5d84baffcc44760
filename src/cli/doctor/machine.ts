import { mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { freemem, release, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { version } from '../../../package.json';
import { healthSchema } from '../../shared/api.js';
import { failure } from '../../shared/errors.js';
import { bytes } from '../../shared/format.js';
import { runTask } from '../../workbench/engine-process.js';
import { adapters } from './adapters.js';
import { type Check, expect, type Finding } from './check.js';
import { optionalParts } from './optional.js';
import type { Place } from './place.js';
import { processor } from './processor.js';

/** What training needs of the machine before anything is trained. */

const oldestNode = [20, 19] as const;
/** Less than this, and a run of usual size may fail. */
const scarceMemory = 1.5e9;
const scarceDisk = 2e9;
const usualPort = 8000;

function system(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  expect(
    major > oldestMajor || (major === oldestMajor && minor >= oldestMinor),
    `Node ${process.versions.node} is too old.`,
    `Install Node ${oldestNode.join('.')} or newer.`,
  );
  const free = freemem();
  const parts = [
    `version ${version}`,
    `Node ${process.versions.node}`,
    `${process.platform}-${process.arch} ${release()}`,
    `${bytes(free)} of ${bytes(totalmem())} memory free`,
  ];
  const found = parts.join(', ');
  return free < scarceMemory ? { note: `${found}: little memory is free, larger runs may fail` } : found;
}

/** That a file can be written, read and removed, and how much room there is. */
async function tryFolder(folder: string): Promise<Finding> {
  const content = Buffer.alloc(1e6, 'doctor');
  const file = path.join(folder, 'doctor.tmp');
  await writeFile(file, content);
  expect(
    (await readFile(file)).equals(content),
    `What is written in ${folder} is not what is read.`,
    'Check the disk.',
  );
  await rm(file);
  const { bavail, bsize } = await statfs(folder);
  const found = `${folder}, ${bytes(bavail * bsize)} free`;
  return bavail * bsize < scarceDisk ? { note: `${found}: that is little for activations of long runs` } : found;
}

async function temporaryFolder(place: Place): Promise<Finding> {
  const folder = await place.makeFolder().catch((error: unknown) => {
    throw unwritable(
      `No temporary folder can be made in ${tmpdir()}`,
      error,
      'Set TMPDIR (on Windows TEMP) to a folder that can be written.',
    );
  });
  return tryFolder(folder);
}

/** Where commands write `logs/` and `.interpretability/`. */
async function currentFolder(): Promise<Finding> {
  const here = process.cwd();
  const folder = await mkdtemp(path.join(here, '.iw-doctor-')).catch((error: unknown) => {
    throw unwritable(`Logs and runs cannot be written in ${here}`, error, 'Change to a folder that can be written.');
  });
  try {
    await tryFolder(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
  return `logs go to ${path.join(here, 'logs')}`;
}

function unwritable(what: string, error: unknown, hint: string): Error {
  return failure('output_unusable', `${what}: ${error instanceof Error ? error.message : String(error)}`, hint);
}

async function nativeLibrary(): Promise<Finding> {
  const outcome = await runTask({ kind: 'hooks', model: 'bundled:demo-gpt2' }).result;
  expect(outcome.status === 'completed', 'The engine was stopped.');
  const { model, hooks } = outcome.result;
  return `ONNX Runtime loads; ${model} has ${hooks.length} hook points`;
}

async function port(): Promise<Finding> {
  if (await isFree(usualPort)) return `${usualPort} is free`;
  const health = await fetch(`http://127.0.0.1:${usualPort}/health`, { signal: AbortSignal.timeout(2000) })
    .then(async (reply) => v.safeParse(healthSchema, await reply.json()))
    .catch(() => undefined);
  const who = health?.success ? `another Interpretability Workbench (${health.output.version})` : 'another program';
  return { note: `${usualPort} is in use by ${who}: servers take the next free port` };
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      resolve(true);
    });
  });
  server.close();
  return free;
}

export const machineChecks: readonly Check<Place>[] = [
  { name: 'system', run: system },
  { name: 'processor', run: processor },
  { name: 'adapters', run: adapters },
  { name: 'optional parts', run: optionalParts },
  { name: 'temporary folder', run: temporaryFolder },
  { name: 'current folder', run: currentFolder },
  { name: 'native library', within: 30, run: nativeLibrary },
  { name: 'port', run: port },
];
