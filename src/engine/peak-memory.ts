import { readFileSync } from 'node:fs';

/**
 * Most memory of this process that was resident at once, in bytes. Linux counts for a process, in what getrusage tells, also what
 * its parent had when it was forked: there the kernel's own record is read.
 */
export function peakRssBytes(): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kilobytes !== undefined) return 1024 * Number(kilobytes);
  } catch {
    // Not Linux.
  }
  return 1024 * process.resourceUsage().maxRSS;
}
