// Fills the store in the folder given, and says after each append how many groups are there; a test kills it on the way.
import { ActivationStore } from '../../../src/engine/activations/store.js';
import { appendGroups, testGroups } from './rows.js';

async function main(): Promise<void> {
  const writer = await ActivationStore.create(
    process.argv[2]!,
    { width: 64, dtype: 'float32', identity: 'killed' },
    65536,
  );
  const groups = testGroups(4000);
  while (writer.groups < groups.length) {
    await appendGroups(writer, groups.slice(0, writer.groups + 8), 8);
    process.stdout.write(`${writer.groups}\n`);
  }
}

void main();
