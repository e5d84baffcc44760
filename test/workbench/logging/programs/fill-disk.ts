// Logs on a small disk until it is full and beyond, makes room again, logs on, and checks what is in the file.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RotatingFile } from '../../../../src/workbench/logging/rotating-file.js';

const disk = process.argv[2]!;
const total = 40_000;
const name = path.join(disk, 'logs', 'api.log');
const filler = path.join(disk, 'filler');
const failures: unknown[] = [];
let lost = 0;

writeFileSync(filler, Buffer.alloc(3_900_000));
const file = new RotatingFile({
  onFailure: (error) => failures.push((error as NodeJS.ErrnoException).code),
  onRecovery: (count) => {
    lost = count;
    return `lost ${count}\n`;
  },
});
file.place(name);
const line = (i: number) => `${String(i).padStart(8, '0')} ${'.'.repeat(61)}`;
for (let i = 0; i < total; i++) file.append(`${line(i)}\n`);
file.flush();
assert.deepEqual(failures, ['ENOSPC']);
const during = readFileSync(name, 'utf8');
assert.ok(during.endsWith('\n') && during.length > 0);

rmSync(filler);
file.flush();
file.append('after\n');
file.close();
const lines = readFileSync(name, 'utf8').split('\n').slice(0, -1);
const written = lines.length - 2;
assert.deepEqual(lines, [...Array.from({ length: written }, (_, i) => line(i)), `lost ${lost}`, 'after']);
process.stdout.write(JSON.stringify({ written, lost, total }));
