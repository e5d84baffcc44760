// Logs a batch of numbered records each time it is told to, tells when they are in the file, and rotates often.
// Arguments: folder, name for the records, records of a batch, most bytes of a file.
import { logComponents } from '../../../../src/shared/logs.js';
import { Logs } from '../../../../src/workbench/logging/logs.js';

const [folder, name, size, maxBytes] = process.argv.slice(2) as [string, string, string, string];
const logs = new Logs({ folder, maxBytes: Number(maxBytes) });
let next = 0;

function logBatch(): void {
  for (let i = 0; i < Number(size); i++, next++) {
    const stack = next % 50 === 0 ? `Error: ${name}\n    at f (a.js:${next}:1)` : undefined;
    logs.log(logComponents[next % logComponents.length]!, 'INFO', `${name} ${next} ${'.'.repeat(next % 70)}`, stack);
  }
  // A turn's lines are in the file before the next turn.
  setImmediate(() => process.send?.(next));
}

void logs.opened().then(() => {
  process.on('message', logBatch);
  process.on('disconnect', () => void logs.close());
  process.send?.(0);
});
