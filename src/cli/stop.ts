/** How a person or the system asks a command to end; which of these exist depends on the platform. */
const signals: NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGBREAK', 'SIGHUP'] : ['SIGINT', 'SIGTERM', 'SIGHUP'];

// One Ctrl-C may arrive twice: `npm run` passes on the signal that the terminal has already sent to the whole group.
const sameRequestMs = 500;

/**
 * Calls `first` at the first request to stop and `again` at each later one. Returns what ends the listening, after which
 * signals end the process as usual.
 */
export function onStop(first: () => void, again: () => void, now: () => number = () => performance.now()): () => void {
  let since: number | undefined;
  const handler = () => {
    if (since === undefined) {
      since = now();
      first();
    } else if (now() - since >= sameRequestMs) {
      again();
    }
  };
  for (const signal of signals) process.on(signal, handler);
  return () => {
    for (const signal of signals) process.off(signal, handler);
  };
}
