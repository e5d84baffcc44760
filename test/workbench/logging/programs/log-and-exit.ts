// Logs into the folder given and ends in the way given, in the same turn of the event loop or once the folder is taken.
import { Logs } from '../../../../src/workbench/logging/logs.js';

const [folder, way] = process.argv.slice(2) as [string, string];
const logs = new Logs({ folder, sinks: [{ level: 'WARNING', write: (line) => process.stdout.write(line) }] });

function logAndEnd(): void {
  for (let i = 0; i < 1000; i++) logs.log('training', 'INFO', `record ${i}`);
  logs.log('training', 'ERROR', 'the last one');
  if (way === 'throw') throw new Error('nobody expected this');
  if (way !== 'stay') process.exit(0);
  // A turn's lines are in the file before the next turn.
  setImmediate(() => process.send?.('logged'));
  process.on('message', () => {
    void logs.close().then(() => {
      process.disconnect();
    });
  });
}

if (way === 'at-once') logAndEnd();
else void logs.opened().then(logAndEnd);
