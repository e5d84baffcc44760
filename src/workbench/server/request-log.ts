import type { Log } from '../../shared/logs.js';

/** Denied, given up on, or failed: what somebody may want to look into. */
const remarkable = [401, 403, 408, 429, 431];
const mostCharacters = 200;

/** Text that a stranger sent, fit for a line of the log. */
export function printable(text: string): string {
  const short = text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}…`;
  return short.replace(/[^\x20-\x7e…]/g, '?');
}

/**
 * Writes the record of a request: without the query of its address, which may hold the token. `status` undefined: the
 * client left before it was answered. `startedMs`: by `performance.now()`.
 */
export function recordRequest(
  log: Log,
  { method = '', url = '' }: { method?: string; url?: string },
  status: number | undefined,
  startedMs: number,
): void {
  const [path = ''] = url.split('?', 1);
  const level = status !== undefined && (status >= 500 || remarkable.includes(status)) ? 'WARNING' : 'INFO';
  const took = (performance.now() - startedMs).toFixed(1);
  log('api', level, `${method} ${printable(path)} ${status ?? 'aborted'} ${took} ms`);
}
