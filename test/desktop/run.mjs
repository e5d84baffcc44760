// npm run test:desktop: the checks of suite.ts inside a desktop VS Code, downloaded into .vscode-test/ if it is not there
// (or the one that VSCODE_EXECUTABLE names). Needs a display.
import { runTests } from '@vscode/test-electron';
import { build } from 'esbuild';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..', '..');
const suite = path.join(root, 'dist', 'desktop-suite.js');
await build({
  entryPoints: [path.join(root, 'test', 'desktop', 'suite.ts')],
  outfile: suite,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  external: ['vscode'],
});
const executable = process.env.VSCODE_EXECUTABLE;
const folder = mkdtempSync(path.join(tmpdir(), 'iw-desktop-'));
try {
  await runTests({
    ...(executable === undefined ? {} : { vscodeExecutablePath: executable }),
    extensionDevelopmentPath: root,
    extensionTestsPath: suite,
    extensionTestsEnv: { IW_FIXTURES: path.join(root, 'test', 'fixtures') },
    launchArgs: [
      folder,
      '--disable-workspace-trust',
      '--disable-extensions',
      `--user-data-dir=${path.join(folder, 'user-data')}`,
    ],
  });
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}
