// Trains while the disk of the log folder is full, makes room again, and tells what is in the log and what was shown.
import { closeSync, openSync, readFileSync, rmSync, watch, writeSync } from 'node:fs';
import path from 'node:path';
import { JobManager } from '../../../../src/workbench/jobs.js';
import { Logs } from '../../../../src/workbench/logging/logs.js';
import { enginePath, smallRun } from '../../small-run.js';

const [disk, runDir] = process.argv.slice(2) as [string, string];
const folder = path.join(disk, 'logs');
const filler = path.join(disk, 'filler');
const duringTraining = 30_000;

function fill(): void {
  const fd = openSync(filler, 'w');
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch {
    closeSync(fd);
  }
}

async function main(): Promise<void> {
  const shown: string[] = [];
  const logs = new Logs({ folder, sinks: [{ level: 'WARNING', write: (line) => shown.push(line) }] });
  await logs.opened();
  logs.log('api', 'INFO', 'before');
  await new Promise((resolve) => setImmediate(resolve));
  fill();
  const jobs = new JobManager({ log: logs.log, enginePath });
  let logged = 0;
  jobs.subscribe(() => {
    for (let i = 0; i < 5000 && logged < duringTraining; i++)
      logs.log('api', 'DEBUG', `during ${logged++} ${'.'.repeat(60)}`);
  });
  const job = await jobs.start(smallRun, { runDir });
  const { status } = await job.ended;
  const full = readFileSync(path.join(folder, 'api.log'), 'utf8');
  const written = new Promise<void>((resolve) => {
    const watcher = watch(folder, (_, name) => {
      if (name !== 'api.log') return;
      watcher.close();
      resolve();
    });
  });
  rmSync(filler);
  await written;
  logs.log('api', 'INFO', 'after');
  await logs.close();
  const log = readFileSync(path.join(folder, 'api.log'), 'utf8');
  process.stdout.write(JSON.stringify({ status, shown, logged, full, log }));
}

void main();
