// npm test: build, lint, types, then every *.test.ts under test/ (with --soak: every *.soak.ts). Arguments after -- name files.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname));
const args = process.argv.slice(2);
const suffix = args.includes('--soak') ? '.soak.ts' : '.test.ts';
const named = args.filter((arg) => !arg.startsWith('--'));
const node = (...command) => {
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

node('esbuild.mjs');
if (named.length === 0) {
  node('node_modules/eslint/bin/eslint.js', '.');
  node('node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.');
  node('node_modules/typescript/bin/tsc', '--noEmit');
}
const files = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith(suffix))
  .map((file) => path.join('test', file))
  .sort();
node('--import', 'tsx', '--test', '--test-concurrency=2', ...(named.length > 0 ? named : files));
