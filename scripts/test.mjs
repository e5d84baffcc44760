// npm test: build, lint, types, then every *.test.ts under test/; arguments after -- name files instead. The tests in a real
// VS Code (test/editor) get the package that people install, and run one file at a time: each has a window, an engine and a
// browser. npm run soak: only the files that repeat something (test/soak.ts), with many repetitions.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname));
const args = process.argv.slice(2);
const soak = args.includes('--soak');
const named = args.filter((arg) => !arg.startsWith('--'));
const env = { ...process.env, ORT_DISABLE_TELEMETRY: '1', ...(soak ? { IW_SOAK: '1' } : {}) };
const node = (...command) => {
  const { status } = spawnSync(process.execPath, command, { cwd: root, env, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
/** A file of tests that takes longer hangs, and is said to. */
const mostMs = 600_000;
const test = (files, concurrency) => {
  const options = [`--test-concurrency=${concurrency}`, ...(soak ? [] : [`--test-timeout=${mostMs}`])];
  if (files.length > 0) node('--import', 'tsx', '--test', ...options, ...files);
};
const inEditor = (file) => file.startsWith(path.join('test', 'editor'));
const inBrowser = (file) => /^test.(editor|webview|examples)/.test(file);

const all = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => path.join('test', file))
  .filter((file) => !soak || readFileSync(path.join(root, file), 'utf8').includes('soak.js'))
  .sort();
const files = named.length > 0 ? named.map((file) => path.normalize(file)) : all;

node('esbuild.mjs');
if (named.length === 0 && !soak) {
  node('node_modules/eslint/bin/eslint.js', '.');
  node('node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.');
  node('node_modules/typescript/bin/tsc', '--noEmit');
}
if (files.some(inBrowser)) node('--import', 'tsx', 'scripts/editor-host.ts');
test(
  files.filter((file) => !inEditor(file)),
  2,
);
if (files.some(inEditor) && process.platform === 'linux' && process.arch === 'x64') {
  node('scripts/package.mjs');
  test(files.filter(inEditor), 1);
}
