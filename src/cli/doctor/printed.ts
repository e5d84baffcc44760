import { execFile } from 'node:child_process';

const mostMs = 8000;

/** What a program prints; undefined where there is no such program, it fails, or it takes longer than 8 s. */
export function printed(program: string, args: readonly string[], env = process.env): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { env, timeout: mostMs, windowsHide: true, encoding: 'utf8' }, (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
  });
}

/** What a command prints in the PowerShell that every Windows has. */
export function powershell(command: string): Promise<string | undefined> {
  return printed('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', command]);
}
