// Serves until its input ends, prints the port first and the warnings last, and then ends by itself.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { JobManager } from '../../../../src/workbench/jobs.js';
import { RunBoard } from '../../../../src/workbench/run-board.js';
import { ApiServer } from '../../../../src/workbench/server/api-server.js';

async function main(): Promise<void> {
  const root = mkdtempSync(path.join(tmpdir(), 'iw-serve-'));
  const warnings: string[] = [];
  const log = (_: string, level: string, message: string) => {
    if (level !== 'INFO') warnings.push(message);
  };
  const jobs = new JobManager({ log });
  const board = new RunBoard({ jobs, log, folders: () => [root] });
  const addressFolder = path.join(root, 'servers');
  const rest = { version: '1.2.3', root, runsFolder: () => root, addressFolder };
  const server = await ApiServer.start({ jobs, board, log, port: 0, token: null, ...rest });
  process.stdout.write(`${server.port}\n`);
  process.stdin.resume().once('end', () => {
    void server.close().then(() => {
      board.dispose();
      rmSync(root, { recursive: true });
      process.stdout.write(`${JSON.stringify(warnings)}\n`);
    });
  });
}

void main();
