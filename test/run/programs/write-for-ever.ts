// Replaces a file by a larger one of equal characters again and again, and tells its parent each time.
import { writeFileAtomic } from '../../../src/run/atomic.js';

async function main(file: string): Promise<void> {
  for (let round = 0; ; round++) {
    const character = String(round % 10);
    await writeFileAtomic(file, Array<string>(3000).fill(character.repeat(1000)));
    process.send?.(round);
  }
}

void main(process.argv[2]!);
