import { readFileSync, readdirSync } from 'node:fs';

/** Ids of the processes of a session (Linux's, that of the process `leader`) whose command line holds `part`; the newest last. */
export function processesOf(leader: number, part: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => read(pid, 'cmdline').includes(part) && stat(pid).session === leader)
    .sort((a, b) => stat(a).started - stat(b).started)
    .map(Number);
}

/** Ends processes at once. */
export function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

/** Memory that a process holds, in bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(String(pid), 'status'))?.[1]) * 1024;
}

/** Fields 6 and 22 of `/proc/<pid>/stat`, counted after the command, which may hold anything. */
function stat(pid: string): { session: number; started: number } {
  const fields = read(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  return { session: Number(fields[3]), started: Number(fields[19]) };
}

/** Nothing of a process that has ended. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
